/* The engine of mymalloc: mappings, pages and large chunks; see the header. */
#include "allocators/buddy_pages.h"

#include <errno.h>
#include <string.h>

enum {
    LARGE_ENDS = 16 + CHUNK_HEADER, /* 8 bytes, the header, and a header's place at the end */
    BATCH_LOG2 = 10,                /* bytes of a chunk that may be cut up at once, */
    BATCH_HALVINGS = 3,             /* and how often it is halved for that */
    KEEP_FREE_PAGES = 32,           /* free pages that do not make their mapping go back */
};

/* Chunks in the quick lists, smallest first: few enough that they keep few mappings from going. */
#define QUICK_ROOM 128, 128, 64, 64, 32, 16, 8

/* What a page's descriptor means for a mapping: owner[0] is the page's place in it, owner[1] in
 * the first page how many of the pages before the last are wholly free. */
static void buddy_pages_push(struct buddy_pages *heap, struct chunk *chunk, unsigned order)
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
static struct chunk *buddy_pages_pop(struct buddy_pages *heap, unsigned order)
{
    struct chunk *chunk = heap->bin[order];
    heap->bin[order] = chunk->next;
    heap->nonempty &= ~((uint32_t)(chunk->next == NULL) << order);
    __builtin_prefetch(chunk->next, 1); /* to be taken next */
    return chunk;
}

static void buddy_pages_unlink(struct buddy_pages *heap, struct chunk *chunk, unsigned order)
{
    if (heap->bin[order] == chunk) {
        buddy_pages_pop(heap, order);
        return;
    }
    chunk->prev->next = chunk->next;
    if (chunk->next)
        chunk->next->prev = chunk->prev;
}

static struct chunk *chunk_buddy(const struct chunk *chunk, unsigned order)
{
    uintptr_t from_page = (uintptr_t)chunk - CHUNK_HEADER;
    return (struct chunk *)((from_page ^ (uintptr_t)1 << order) + CHUNK_HEADER);
}

int buddy_pages_init(struct buddy_pages *heap, struct region *region, size_t offset, uint32_t key,
                     bool guards)
{
    static const uint8_t room[] = {QUICK_ROOM, 0};
    *heap = (struct buddy_pages){.key = key, .guards = guards};
    struct chunk **stack = heap->stacks;
    for (unsigned order = CHUNK_MIN_LOG2; order <= CHUNK_PAGE_LOG2; order++) {
        heap->quick[order] = stack;
        heap->quick_end[order] = stack + room[order - CHUNK_MIN_LOG2];
        stack = heap->quick_end[order] + 1;
    }
    return page_runs_init(&heap->runs, region, offset);
}

/* A mapping's last page without its last 32 bytes: one chunk of each order, largest first. */
static bool buddy_tail_is_free(const struct buddy_pages *heap, uint32_t first)
{
    char *at = (char *)buddy_pages_first_chunk(heap, first + MAPPING_PAGES - 1);
    for (unsigned order = CHUNK_PAGE_LOG2 - 1; order >= CHUNK_MIN_LOG2; order--) {
        if (!chunk_is_free(heap, (struct chunk *)at, order))
            return false;
        at += (size_t)1 << order;
    }
    return true;
}

static bool buddy_map(struct buddy_pages *heap)
{
    uint32_t first = page_runs_take(&heap->runs, MAPPING_PAGES);
    if (first == 0)
        return false;
    for (uint32_t place = 0; place < MAPPING_PAGES; place++) {
        struct run_page *page = &heap->runs.page[first + place];
        page->kind = PAGE_SMALL;
        page->owner[0] = (uint8_t)place;
        page->bits[0] = UINT64_MAX - 1; /* a chunk begins with the page */
        page->bits[1] = UINT64_MAX;
    }
    heap->runs.page[first].owner[1] = MAPPING_PAGES - 1;
    heap->free_pages += MAPPING_PAGES - 1;

    char *at = (char *)buddy_pages_first_chunk(heap, first + MAPPING_PAGES);
    at -= 1 << CHUNK_MIN_LOG2;
    struct chunk *end = (struct chunk *)at;
    end->header = chunk_header(heap, end, CHUNK_END);
    buddy_pages_part(heap, end);
    for (unsigned order = CHUNK_MIN_LOG2; order < CHUNK_PAGE_LOG2; order++) {
        at -= (size_t)1 << order;
        buddy_pages_part(heap, (struct chunk *)at);
        buddy_pages_push(heap, (struct chunk *)at, order);
    }
    for (uint32_t place = MAPPING_PAGES - 1; place-- > 0;)
        buddy_pages_push(heap, buddy_pages_first_chunk(heap, first + place), CHUNK_PAGE_LOG2);
    return true;
}

/* The mapping has no live chunk: its free ones leave their bins, its pages their runs. */
static void buddy_unmap(struct buddy_pages *heap, uint32_t first)
{
    for (uint32_t place = 0; place < MAPPING_PAGES - 1; place++)
        buddy_pages_unlink(heap, buddy_pages_first_chunk(heap, first + place), CHUNK_PAGE_LOG2);
    char *at = (char *)buddy_pages_first_chunk(heap, first + MAPPING_PAGES - 1);
    for (unsigned order = CHUNK_PAGE_LOG2 - 1; order >= CHUNK_MIN_LOG2; order--) {
        buddy_pages_unlink(heap, (struct chunk *)at, order);
        at += (size_t)1 << order;
    }
    for (uint32_t place = 1; place < MAPPING_PAGES; place++)
        heap->runs.page[first + place].kind = RUN_NONE;
    heap->free_pages -= MAPPING_PAGES - 1;
    page_runs_give(&heap->runs, first);
}

static bool buddy_mapping_is_empty(const struct buddy_pages *heap, uint32_t first)
{
    if (heap->runs.page[first].owner[1] < MAPPING_PAGES - 1 || !buddy_tail_is_free(heap, first))
        return false;
    for (uint32_t place = 0; place < MAPPING_PAGES - 1; place++)
        if (!chunk_is_free(heap, buddy_pages_first_chunk(heap, first + place), CHUNK_PAGE_LOG2))
            return false;
    return true;
}

static void buddy_page_freed(struct buddy_pages *heap, const struct chunk *chunk, unsigned order)
{
    uint32_t page = (uint32_t)page_runs_number(&heap->runs, chunk);
    uint32_t first = page - heap->runs.page[page].owner[0];
    if (order == CHUNK_PAGE_LOG2) {
        heap->runs.page[first].owner[1]++;
        heap->free_pages++;
    }
    if (heap->free_pages > KEEP_FREE_PAGES && buddy_mapping_is_empty(heap, first))
        buddy_unmap(heap, first);
}

void buddy_pages_free_chunk(struct buddy_pages *heap, struct chunk *chunk, unsigned order)
{
    /* Free from now on, even if the buddy's header will stand for both. */
    chunk->header = chunk_header(heap, chunk, chunk_payload_size(order));
    for (; order < CHUNK_PAGE_LOG2; order++) {
        struct chunk *buddy = chunk_buddy(chunk, order);
        if (!chunk_is_free(heap, buddy, order))
            break;
        buddy_pages_unlink(heap, buddy, order);
        buddy_pages_unite(heap, buddy < chunk ? chunk : buddy);
        if (buddy < chunk)
            chunk = buddy;
    }
    buddy_pages_push(heap, chunk, order);
    size_t page = page_runs_number(&heap->runs, chunk);
    if (order == CHUNK_PAGE_LOG2 || heap->runs.page[page].owner[0] == MAPPING_PAGES - 1)
        buddy_page_freed(heap, chunk, order);
}

/* Joins the chunks of all quick lists with their buddies. */
static bool buddy_flush(struct buddy_pages *heap)
{
    bool any = false;
    for (unsigned order = CHUNK_MIN_LOG2; order < CHUNK_PAGE_LOG2; order++) {
        for (struct chunk *chunk; (chunk = *heap->quick[order]) != NULL;) {
            heap->quick[order]--;
            buddy_pages_free_chunk(heap, chunk, order);
            any = true;
        }
    }
    return any;
}

static struct chunk *buddy_pop_page(struct buddy_pages *heap)
{
    struct chunk *chunk = buddy_pages_pop(heap, CHUNK_PAGE_LOG2);
    uint32_t page = (uint32_t)page_runs_number(&heap->runs, chunk);
    heap->runs.page[page - heap->runs.page[page].owner[0]].owner[1]--;
    heap->free_pages--;
    return chunk;
}

/* The smallest order at or above `order` whose first chunk is whole; 0: no memory. A bin whose
 * first chunk was written over loses the chunks behind it, which cannot be reached. */
static unsigned buddy_find(struct buddy_pages *heap, unsigned order)
{
    for (;;) {
        if (heap->nonempty >> order == 0 && !buddy_flush(heap) && !buddy_map(heap))
            return 0;
        if (heap->nonempty >> order == 0)
            continue;
        unsigned from = order + (unsigned)__builtin_ctz(heap->nonempty >> order);
        if (chunk_is_free(heap, heap->bin[from], from))
            return from;
        heap->bin[from] = NULL;
        heap->nonempty &= ~(1u << from);
    }
}

/* How many times a chunk may be halved into equal parts, which go to the quick list, rather than
 * into a part and the rest: none of it beyond BATCH_LOG2 bytes, and none that has no room there. */
static unsigned buddy_batch(const struct buddy_pages *heap, unsigned order, unsigned from)
{
    unsigned most = order < BATCH_LOG2 ? BATCH_LOG2 - order : 0;
    most = most < BATCH_HALVINGS ? most : BATCH_HALVINGS;
    most = most < from - order ? most : from - order;
    return heap->quick_end[order] - heap->quick[order] >= (1 << most) - 1 ? most : 0;
}

/* The chunk at `at` is 1 << halvings chunks of `order`: all but the first one go to the quick list,
 * to be used in the order of addresses. */
static void buddy_cut_batch(struct buddy_pages *heap, char *at, unsigned order, unsigned halvings)
{
    for (unsigned i = (1u << halvings) - 1; i > 0; i--) {
        struct chunk *chunk = (struct chunk *)(void *)(at + ((size_t)i << order));
        buddy_pages_push_quick(heap, chunk, order);
        buddy_pages_part(heap, chunk);
    }
}

/* Takes a chunk from the smallest order that has one and halves it; the lower half goes on. */
void *buddy_pages_alloc_slow(struct buddy_pages *heap, unsigned order)
{
    unsigned from = buddy_find(heap, order);
    if (from == 0)
        return NULL;
    struct chunk *chunk =
        from == CHUNK_PAGE_LOG2 ? buddy_pop_page(heap) : buddy_pages_pop(heap, from);
    unsigned halvings = buddy_batch(heap, order, from);
    while (from > order + halvings) {
        from--;
        struct chunk *upper = (struct chunk *)((char *)chunk + ((size_t)1 << from));
        buddy_pages_part(heap, upper);
        buddy_pages_push(heap, upper, from);
    }
    buddy_cut_batch(heap, (char *)chunk, order, halvings);
    chunk->header = chunk_header(heap, chunk, -chunk_payload_size(order));
    return chunk_payload(chunk);
}

static size_t buddy_large_pages(size_t size)
{
    return (size + LARGE_ENDS + RUN_PAGE - 1) >> RUN_PAGE_LOG2;
}

/* What a header tells of a large payload, which is told to be larger than one inside a page even
 * where an alignment leaves no more of its run. */
static int32_t buddy_large_size(const struct chunk *chunk, const struct chunk *end)
{
    enum { LEAST = CHUNK_MAX + 8, MOST = INT32_MAX & ~7 };
    ptrdiff_t size = (const char *)end - (const char *)chunk - CHUNK_HEADER;
    return (int32_t)(size < LEAST ? LEAST : size > MOST ? MOST : size);
}

static void *buddy_mark_large(struct buddy_pages *heap, uint32_t first, struct chunk *chunk)
{
    struct chunk *end = buddy_pages_large_end(heap, first);
    heap->runs.page[first].kind = PAGE_LARGE;
    heap->runs.page[first].bits[0] = heap->runs.page[first].bits[1] = UINT64_MAX;
    heap->runs.page[first].next = (uint32_t)((char *)chunk - page_runs_address(&heap->runs, first));
    chunk->header = chunk_header(heap, chunk, -buddy_large_size(chunk, end));
    if (heap->guards)
        end->header = chunk_header(heap, end, CHUNK_END);
    return chunk_payload(chunk);
}

void *buddy_pages_alloc_large(struct buddy_pages *heap, size_t size)
{
    if (size > PTRDIFF_MAX)
        return NULL;
    uint32_t first = page_runs_take(&heap->runs, buddy_large_pages(size));
    if (first == 0)
        return NULL;
    return buddy_mark_large(heap, first, buddy_pages_first_chunk(heap, first));
}

void buddy_pages_free_slow(struct buddy_pages *heap, void *payload, int32_t size)
{
    struct chunk *chunk = chunk_of(payload);
    chunk->header = 0;
    if (chunk_is_large(size)) {
        page_runs_give(&heap->runs, (uint32_t)page_runs_number(&heap->runs, chunk));
        return;
    }
    struct chunk *real = (struct chunk *)((char *)chunk - (CHUNK_SHIFTED - size));
    real->header = chunk_header(heap, real, chunk_size(real) + CHUNK_HOLDS_SHIFTED);
    buddy_pages_free(heap, chunk_payload(real));
}

/* Inside a page: a chunk that is large enough wherever the multiple lies in it. */
static void *buddy_alloc_shifted(struct buddy_pages *heap, size_t align, size_t size)
{
    char *real = buddy_pages_alloc(heap, size + align - 16);
    if (!real)
        return NULL;
    char *payload = (char *)(((uintptr_t)real + align - 1) & ~(uintptr_t)(align - 1));
    if (payload == real)
        return real;
    struct chunk *outer = chunk_of(real), *chunk = chunk_of(payload);
    outer->header = chunk_header(heap, outer, chunk_size(outer) - CHUNK_HOLDS_SHIFTED);
    memcpy(real, &(int64_t){payload - real}, sizeof(int64_t));
    chunk->header = chunk_header(heap, chunk, CHUNK_SHIFTED - (int32_t)(payload - real));
    return payload;
}

/* With pages of its own: the run begins with the page that holds the header. */
void *buddy_pages_alloc_aligned(struct buddy_pages *heap, size_t align, size_t size)
{
    if (size > PTRDIFF_MAX || align > PTRDIFF_MAX / 2)
        return NULL;
    if (align < RUN_PAGE && size + align - 16 <= CHUNK_MAX)
        return buddy_alloc_shifted(heap, align, size);
    size_t shift = align < RUN_PAGE ? align : RUN_PAGE;
    size_t pages = buddy_large_pages(size + shift);
    uint32_t first = page_runs_take(&heap->runs, pages + (align >> RUN_PAGE_LOG2));
    if (first == 0)
        return NULL;
    uintptr_t start = (uintptr_t)page_runs_address(&heap->runs, first);
    uintptr_t payload = (start + shift + align - 1) & ~(uintptr_t)(align - 1);
    uint32_t skip = (uint32_t)((payload - CHUNK_HEADER - start) >> RUN_PAGE_LOG2);
    if (skip > 0)
        first = page_runs_behead(&heap->runs, first, skip);
    page_runs_shorten(&heap->runs, first, pages);
    return buddy_mark_large(heap, first, chunk_of((void *)payload));
}

size_t buddy_pages_usable(const struct buddy_pages *heap, const void *payload)
{
    const struct chunk *chunk = chunk_of(payload);
    int32_t size = chunk_size(chunk);
    if (size >= -CHUNK_MAX)
        return (size_t)-size;
    if (chunk_is_large(size)) {
        uint32_t first = (uint32_t)page_runs_number(&heap->runs, chunk);
        return (size_t)((char *)buddy_pages_large_end(heap, first) - (const char *)payload);
    }
    size_t shift = (size_t)(CHUNK_SHIFTED - size);
    int32_t outer = chunk_size(chunk_of((const char *)payload - shift)) + CHUNK_HOLDS_SHIFTED;
    return (size_t)-outer - shift;
}

/* Whether the free chunks right behind a chunk of `order` make it one of `want`. */
static bool buddy_can_grow(const struct buddy_pages *heap, const struct chunk *chunk,
                           unsigned order, unsigned want)
{
    for (; order < want; order++) {
        const struct chunk *buddy = chunk_buddy(chunk, order);
        if (buddy < chunk || !chunk_is_free(heap, buddy, order))
            return false;
    }
    return true;
}

/* In place: what a smaller size leaves becomes free, what a larger one needs is taken in. */
static bool buddy_resize(struct buddy_pages *heap, struct chunk *chunk, size_t size)
{
    unsigned order = chunk_order((size_t)-chunk_size(chunk)), want = chunk_order(size);
    if (!buddy_can_grow(heap, chunk, order, want))
        return false;
    for (; order < want; order++) {
        buddy_pages_unlink(heap, chunk_buddy(chunk, order), order);
        buddy_pages_unite(heap, chunk_buddy(chunk, order));
    }
    while (order > want) {
        order--;
        buddy_pages_part(heap, chunk_buddy(chunk, order));
        buddy_pages_push(heap, chunk_buddy(chunk, order), order);
    }
    chunk->header = chunk_header(heap, chunk, -chunk_payload_size(want));
    return true;
}

static bool buddy_resize_large(struct buddy_pages *heap, struct chunk *chunk, size_t size)
{
    uint32_t first = (uint32_t)page_runs_number(&heap->runs, chunk);
    size_t before = (size_t)((char *)chunk - page_runs_address(&heap->runs, first));
    if (size > PTRDIFF_MAX)
        return false;
    size_t pages = (before + CHUNK_HEADER + size + CHUNK_HEADER + RUN_PAGE - 1) >> RUN_PAGE_LOG2;
    if (pages > heap->runs.page[first].pages) {
        if (!page_runs_extend(&heap->runs, first, pages))
            return false;
    } else {
        page_runs_shorten(&heap->runs, first, pages);
    }
    buddy_mark_large(heap, first, chunk);
    return true;
}

void *buddy_pages_realloc(struct buddy_pages *heap, void *payload, size_t size)
{
    struct chunk *chunk = chunk_of(payload);
    bool small = chunk_size(chunk) >= -CHUNK_MAX, large = chunk_is_large(chunk_size(chunk));
    if (small && size <= CHUNK_MAX && buddy_resize(heap, chunk, size))
        return payload;
    if (large && size > CHUNK_MAX && buddy_resize_large(heap, chunk, size))
        return payload;
    void *moved = buddy_pages_alloc(heap, size);
    if (!moved)
        return NULL;
    size_t usable = buddy_pages_usable(heap, payload);
    memcpy(moved, payload, usable < size ? usable : size);
    buddy_pages_free(heap, payload);
    return moved;
}

/* Every mapping that is empty has its pages in the bin of whole pages. */
size_t buddy_pages_trim(struct buddy_pages *heap)
{
    buddy_flush(heap);
    struct chunk *chunk = heap->bin[CHUNK_PAGE_LOG2];
    while (chunk && chunk_is_free(heap, chunk, CHUNK_PAGE_LOG2)) {
        uint32_t page = (uint32_t)page_runs_number(&heap->runs, chunk);
        uint32_t first = page - heap->runs.page[page].owner[0];
        bool empty = buddy_mapping_is_empty(heap, first);
        if (empty)
            buddy_unmap(heap, first);
        chunk = empty ? heap->bin[CHUNK_PAGE_LOG2] : chunk->next;
    }
    return page_runs_trim(&heap->runs, 0);
}
