/* The engine of mymalloc: a binary buddy allocator inside pages, four pages mapped at a time, as
 * Serena Hogan's "User Level Memory Manager" describes it.
 *
 *  1. Pages are split in halves down to 32 bytes; the free chunks of a size are one doubly linked
 *     list, last in first out; a freed chunk joins its free buddy, up to a page.
 *     A few of each order are not joined at once but stand on a stack, the first to be used
 *     again; they are joined before pages are mapped. (Delayed coalescing, as in Barkley and Lee,
 *     A Lazy Buddy System Bounded by Two Coalescing Delays per Class, 1989, but by a plain limit.)
 *  2. A chunk is 8 bytes of header and the payload. Chunks begin 8 bytes into their page and so end
 *     8 bytes into the next: payloads are 16-byte aligned. Of a mapping's last page the last 32
 *     bytes are never handed out, since they would end outside.
 *  3. What does not fit a page gets a run of pages of its own.
 *
 * A header holds the payload's size (negative: in use; at most what an int holds) and a check word
 * made of it, the chunk's address and a number of the heap: an overrun, a copied header or a stray
 * pointer does not pass. The links of a free chunk are only followed while its header is whole, so
 * that an overrun into one costs memory and nothing else.
 * Where chunks begin also stands in the table of pages, a bit for every 32 bytes: from one to the
 * next is a chunk's length, so that free finds it there, and only writes to a chunk that the caches
 * have long forgotten.
 * The operations that every call takes are inline here; one thread. */
#ifndef ALLOCATORS_BUDDY_PAGES_H
#define ALLOCATORS_BUDDY_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocators/page_runs.h"

enum {
    CHUNK_HEADER = 8,
    CHUNK_MIN_LOG2 = 5,
    CHUNK_PAGE_LOG2 = RUN_PAGE_LOG2,
    CHUNK_MAX = (1 << CHUNK_PAGE_LOG2) - CHUNK_HEADER, /* the largest payload inside a page */
    MAPPING_PAGES = 4,
    CHUNK_STACKS = 448, /* pointers for the stacks of chunks that are not joined */
    /* Sizes that are none, and no multiples of 8 as those are. Their low bytes are not 0: the
     * overrun of a string's end would pass. */
    CHUNK_SHIFTED = -(1 << 29) - 0x5b, /* before an aligned payload, less its distance from the
                                          real one */
    CHUNK_END = 0x5b,                  /* behind a large chunk and the last one of a mapping */
    CHUNK_QUICK = 1,                   /* more than the size of a free chunk on a quick stack */
    CHUNK_HOLDS_SHIFTED = 1,           /* less than the size of a chunk that holds an aligned
                                          payload, which begins as many bytes into it as its first
                                          payload word says */
};

/* Kinds of taken pages. */
enum { PAGE_SMALL = RUN_OWNER, PAGE_LARGE };

struct chunk {
    uint64_t header;
    struct chunk *next, *prev; /* free chunks: in their bin; the first one's prev is not kept */
};

struct buddy_pages {
    struct chunk **quick[CHUNK_PAGE_LOG2 + 1]; /* by the chunk's order, log2 of its bytes: the top
                                                  of a stack, NULL where it is empty */
    struct chunk **quick_end[CHUNK_PAGE_LOG2 + 1]; /* the top of that stack when it is full */
    struct chunk *bin[CHUNK_PAGE_LOG2 + 1];
    uint32_t nonempty; /* a bit an order */
    uint32_t key;
    bool guards;       /* large chunks end with a header too, which an overrun would hit: one more
                          page to touch */
    size_t free_pages; /* chunks of a whole page that are free */
    struct page_runs runs;
    struct chunk *stacks[CHUNK_STACKS]; /* of quick, each on a NULL */
};

/* Builds the heap behind `offset` of `region`, both of whole pages; `key` goes into the check
 * words. 0 or -ENOMEM. */
int buddy_pages_init(struct buddy_pages *heap, struct region *region, size_t offset, uint32_t key,
                     bool guards);

/* What the inline functions below leave to do. */
void *buddy_pages_alloc_slow(struct buddy_pages *heap, unsigned order);
void *buddy_pages_alloc_large(struct buddy_pages *heap, size_t size);
void buddy_pages_free_slow(struct buddy_pages *heap, void *payload, int32_t size);
void buddy_pages_free_chunk(struct buddy_pages *heap, struct chunk *chunk, unsigned order);

/* A payload whose address is a multiple of `align`, a power of two above 16; freed like others. */
void *buddy_pages_alloc_aligned(struct buddy_pages *heap, size_t align, size_t size);

/* The same block, or the block that has its contents now, or NULL and nothing changed. */
void *buddy_pages_realloc(struct buddy_pages *heap, void *payload, size_t size);

/* Bytes of a live payload. */
size_t buddy_pages_usable(const struct buddy_pages *heap, const void *payload);

/* Gives all empty mappings and free runs back to the system; returns the bytes. */
size_t buddy_pages_trim(struct buddy_pages *heap);

/* Whether a live block of ours begins at `payload`; reads nothing outside the heap. */
bool buddy_pages_owns(const struct buddy_pages *heap, const void *payload);

/* Whether nothing was written past the end of a live block (into the header after it). */
bool buddy_pages_intact(const struct buddy_pages *heap, const void *payload);

/* The chunk that begins `page`, or of a large one the run. */
static inline struct chunk *buddy_pages_first_chunk(const struct buddy_pages *heap, size_t page)
{
    return (struct chunk *)(page_runs_address(&heap->runs, (uint32_t)page) + CHUNK_HEADER);
}

/* The header's place at the end of a large chunk's last page, which an overrun would hit. */
static inline struct chunk *buddy_pages_large_end(const struct buddy_pages *heap, uint32_t first)
{
    uint32_t behind = first + heap->runs.page[first].pages;
    return (struct chunk *)(page_runs_address(&heap->runs, behind) - CHUNK_HEADER);
}

/* The first header in address order that is damaged, or NULL. The heap is quiet. */
const struct chunk *buddy_pages_damaged(const struct buddy_pages *heap);

static inline struct chunk *chunk_of(const void *payload)
{
    return (struct chunk *)((uintptr_t)payload - CHUNK_HEADER);
}

static inline void *chunk_payload(struct chunk *chunk)
{
    return (char *)chunk + CHUNK_HEADER;
}

static inline int32_t chunk_payload_size(unsigned order)
{
    return (int32_t)(1u << order) - CHUNK_HEADER;
}

static inline uint64_t chunk_header(const struct buddy_pages *heap, const struct chunk *chunk,
                                    int32_t size)
{
    uint32_t check = heap->key ^ (uint32_t)((uintptr_t)chunk >> 3) ^ (uint32_t)size;
    return (uint32_t)size | (uint64_t)check << 32;
}

static inline int32_t chunk_size(const struct chunk *chunk)
{
    return (int32_t)(uint32_t)chunk->header;
}

/* Whether a live chunk of this size has pages of its own. */
static inline bool chunk_is_large(int32_t size)
{
    return size < -CHUNK_MAX && size % 8 == 0;
}

/* The order of the smallest chunk whose payload holds `size` <= CHUNK_MAX bytes. */
static inline unsigned chunk_order(size_t size)
{
    return 64 - (unsigned)__builtin_clzll((size + CHUNK_HEADER - 1) | 31);
}

static inline bool chunk_is_free(const struct buddy_pages *heap, const struct chunk *chunk,
                                 unsigned order)
{
    return chunk->header == chunk_header(heap, chunk, chunk_payload_size(order));
}

/* The bits of the half of a page in which a chunk begins: 0 where one does. A large chunk's are 1.
 */
static inline uint64_t *chunk_half(const struct buddy_pages *heap, const struct chunk *chunk)
{
    size_t from = (uintptr_t)chunk - (uintptr_t)heap->runs.base;
    return &heap->runs.page[from >> CHUNK_PAGE_LOG2].bits[from >> (CHUNK_PAGE_LOG2 - 1) & 1];
}

/* Its place among them. */
static inline unsigned chunk_place(const struct buddy_pages *heap, const struct chunk *chunk)
{
    return (unsigned)(((uintptr_t)chunk - (uintptr_t)heap->runs.base) >> CHUNK_MIN_LOG2) % 64;
}

static inline bool chunk_begins_page(const struct buddy_pages *heap, const struct chunk *chunk)
{
    return ((uintptr_t)chunk - (uintptr_t)heap->runs.base) % RUN_PAGE == CHUNK_HEADER;
}

/* A chunk begins there from now on, the upper part of the one that did before it; */
static inline void buddy_pages_part(struct buddy_pages *heap, const struct chunk *chunk)
{
    *chunk_half(heap, chunk) &= ~((uint64_t)1 << chunk_place(heap, chunk));
}

/* or no more. */
static inline void buddy_pages_unite(struct buddy_pages *heap, const struct chunk *chunk)
{
    *chunk_half(heap, chunk) |= (uint64_t)1 << chunk_place(heap, chunk);
}

/* The order of a chunk inside a page, or 0 where none begins and a header has to tell. */
static inline unsigned buddy_pages_order(const struct buddy_pages *heap, const struct chunk *chunk)
{
    const uint64_t *half = chunk_half(heap, chunk);
    uint64_t from = *half >> chunk_place(heap, chunk);
    bool shifted = ((uintptr_t)chunk - CHUNK_HEADER) % (1u << CHUNK_MIN_LOG2) != 0;
    if (__builtin_expect(from & 1 || shifted, 0))
        return 0;
    /* Ones up to where the next one begins, and nothing behind the half. */
    if (__builtin_expect(from == UINT64_MAX - 1, 0))
        return CHUNK_PAGE_LOG2 - 1 + (chunk_begins_page(heap, chunk) && (half[1] & 1));
    return CHUNK_MIN_LOG2 + (unsigned)__builtin_ctz((unsigned)__builtin_ctzll(from + 2));
}

/* At least `size` > 0 bytes, 16-byte aligned, or NULL. */
static inline void *buddy_pages_alloc(struct buddy_pages *heap, size_t size)
{
    if (__builtin_expect(size > CHUNK_MAX, 0))
        return buddy_pages_alloc_large(heap, size);
    unsigned order = chunk_order(size);
    struct chunk *chunk = *heap->quick[order];
    if (!chunk)
        return buddy_pages_alloc_slow(heap, order);
    heap->quick[order]--;
    chunk->header = chunk_header(heap, chunk, -chunk_payload_size(order));
    return chunk_payload(chunk);
}

static inline bool chunk_is_whole(const struct buddy_pages *heap, const struct chunk *chunk)
{
    return chunk->header == chunk_header(heap, chunk, chunk_size(chunk));
}

/* There is room. */
static inline void buddy_pages_push_quick(struct buddy_pages *heap, struct chunk *chunk,
                                          unsigned order)
{
    *++heap->quick[order] = chunk;
    chunk->header = chunk_header(heap, chunk, chunk_payload_size(order) + CHUNK_QUICK);
}

/* Frees a chunk inside a page. */
static inline void buddy_pages_free_small(struct buddy_pages *heap, struct chunk *chunk,
                                          unsigned order)
{
    if (heap->quick[order] == heap->quick_end[order])
        buddy_pages_free_chunk(heap, chunk, order);
    else
        buddy_pages_push_quick(heap, chunk, order);
}

/* Frees a live payload. */
static inline void buddy_pages_free(struct buddy_pages *heap, void *payload)
{
    struct chunk *chunk = chunk_of(payload);
    __builtin_prefetch(chunk, 1);
    unsigned order = buddy_pages_order(heap, chunk);
    if (__builtin_expect(order == 0, 0)) {
        int32_t size = chunk_size(chunk);
        if (size < -CHUNK_MAX) {
            buddy_pages_free_slow(heap, payload, size);
            return;
        }
        order = chunk_order((size_t)-size);
    }
    buddy_pages_free_small(heap, chunk, order);
}

/* Frees `payload` if it is a live one inside a page, with nothing written past its end; any address
 * may be asked. */
static inline bool buddy_pages_free_checked(struct buddy_pages *heap, void *payload)
{
    struct chunk *chunk = chunk_of(payload);
    size_t page = page_runs_number(&heap->runs, chunk);
    if ((uintptr_t)payload % 16 != 0 || page >= heap->runs.top ||
        heap->runs.page[page].kind != PAGE_SMALL)
        return false;
    int32_t size = -chunk_size(chunk);
    if (size <= 0 || size > CHUNK_MAX || size % 8 != 0 || !chunk_is_whole(heap, chunk) ||
        !chunk_is_whole(heap, (struct chunk *)((char *)chunk + CHUNK_HEADER + size)))
        return false;
    buddy_pages_free_small(heap, chunk, chunk_order((size_t)size));
    return true;
}

#endif
