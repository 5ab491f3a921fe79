/* The engine of mymalloc: a binary buddy allocator inside pages, four pages mapped at a time, as
 * Serena Hogan's "User Level Memory Manager" describes it.
 *
 *  1. Pages are split in halves down to 32 bytes; the free chunks of a size are one doubly linked
 *     list, last in first out; a freed chunk joins its free buddy, up to a page.
 *  2. A chunk is 8 bytes of header and the payload. Chunks begin 8 bytes into their page and so end
 *     8 bytes into the next: payloads are 16-byte aligned. Of a mapping's last page the last 32
 *     bytes are never handed out, since they would end outside.
 *  3. What does not fit a page gets a run of pages of its own.
 *
 * A header holds the payload's size (negative: in use) and a check word made of it, the chunk's
 * address and a number of the heap: an overrun, a copied header or a stray pointer does not pass.
 * The links of a free chunk are only followed while its header is whole, so that an overrun into
 * one costs memory and nothing else.
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
    /* Sizes that are none. Their low bytes are not 0: the overrun of a string's end would pass. */
    CHUNK_LARGE = -(1 << 30) - 0x5b,   /* has pages of its own */
    CHUNK_SHIFTED = -(1 << 29) - 0x5b, /* before an aligned payload, less its distance from the
                                          real one */
    CHUNK_END = 0x5b,                  /* behind a large chunk and the last one of a mapping */
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
    struct chunk *bin[CHUNK_PAGE_LOG2 + 1]; /* by the chunk's order: log2 of its bytes */
    uint32_t nonempty;                      /* a bit an order */
    uint32_t key;
    size_t free_pages; /* chunks of a whole page that are free */
    struct page_runs runs;
};

/* Builds the heap behind `offset` of `region`, both of whole pages. 0 or -ENOMEM. */
int buddy_pages_init(struct buddy_pages *heap, struct region *region, size_t offset, uint32_t key);

/* What the inline functions below leave to do. */
void *buddy_pages_alloc_slow(struct buddy_pages *heap, unsigned order);
void *buddy_pages_alloc_large(struct buddy_pages *heap, size_t size);
void buddy_pages_free_slow(struct buddy_pages *heap, void *payload, int32_t size);
void buddy_pages_page_freed(struct buddy_pages *heap, const struct chunk *chunk, unsigned order);

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

static inline void buddy_pages_push(struct buddy_pages *heap, struct chunk *chunk, unsigned order)
{
    struct chunk *head = heap->bin[order];
    chunk->header = chunk_header(heap, chunk, chunk_payload_size(order));
    chunk->next = head;
    if (head)
        head->prev = chunk;
    heap->bin[order] = chunk;
    heap->nonempty |= 1u << order;
}

/* Takes the first chunk, of which there is one. */
static inline struct chunk *buddy_pages_pop(struct buddy_pages *heap, unsigned order)
{
    struct chunk *chunk = heap->bin[order];
    heap->bin[order] = chunk->next;
    heap->nonempty &= ~((uint32_t)(chunk->next == NULL) << order);
    return chunk;
}

static inline void buddy_pages_unlink(struct buddy_pages *heap, struct chunk *chunk, unsigned order)
{
    if (heap->bin[order] == chunk) {
        buddy_pages_pop(heap, order);
        return;
    }
    chunk->prev->next = chunk->next;
    if (chunk->next)
        chunk->next->prev = chunk->prev;
}

static inline struct chunk *chunk_buddy(const struct chunk *chunk, unsigned order)
{
    uintptr_t from_page = (uintptr_t)chunk - CHUNK_HEADER;
    return (struct chunk *)((from_page ^ (uintptr_t)1 << order) + CHUNK_HEADER);
}

/* At least `size` > 0 bytes, 16-byte aligned, or NULL. */
static inline void *buddy_pages_alloc(struct buddy_pages *heap, size_t size)
{
    if (__builtin_expect(size > CHUNK_MAX, 0))
        return buddy_pages_alloc_large(heap, size);
    unsigned order = chunk_order(size);
    struct chunk *chunk = heap->bin[order];
    if (__builtin_expect(!chunk || order == CHUNK_PAGE_LOG2 || !chunk_is_free(heap, chunk, order),
                         0))
        return buddy_pages_alloc_slow(heap, order);
    buddy_pages_pop(heap, order);
    chunk->header = chunk_header(heap, chunk, -chunk_payload_size(order));
    return chunk_payload(chunk);
}

/* Frees a live payload. */
static inline void buddy_pages_free(struct buddy_pages *heap, void *payload)
{
    struct chunk *chunk = chunk_of(payload);
    int32_t size = chunk_size(chunk);
    if (__builtin_expect(size < -CHUNK_MAX, 0)) {
        buddy_pages_free_slow(heap, payload, size);
        return;
    }
    unsigned order = chunk_order((size_t)-size);
    /* Free from now on, even if the buddy's header will stand for both. */
    chunk->header = chunk_header(heap, chunk, -size);
    for (; order < CHUNK_PAGE_LOG2; order++) {
        struct chunk *buddy = chunk_buddy(chunk, order);
        if (!chunk_is_free(heap, buddy, order))
            break;
        buddy_pages_unlink(heap, buddy, order);
        if (buddy < chunk)
            chunk = buddy;
    }
    buddy_pages_push(heap, chunk, order);
    size_t page = page_runs_number(&heap->runs, chunk);
    if (order == CHUNK_PAGE_LOG2 || heap->runs.page[page].owner[0] == MAPPING_PAGES - 1)
        buddy_pages_page_freed(heap, chunk, order);
}

#endif
