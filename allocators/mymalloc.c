/* mymalloc: the buddy allocator inside pages of the classic interface, over a region.
 *
 * The algorithm is in buddy_pages.h, where its source is named too. Internal fragmentation is that
 * of buddies: payloads are 24, 56, 120 … 4088 bytes, and whole pages above. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "allocators/allocator.h"
#include "allocators/buddy_pages.h"

struct mymalloc {
    struct heap heap;
    struct buddy_pages buddy;
};

static struct buddy_pages *mymalloc_buddy(struct heap *heap)
{
    return &((struct mymalloc *)heap)->buddy;
}

static void mymalloc_destroy(struct heap *heap)
{
    (void)heap;
}

static void *mymalloc_alloc(struct heap *heap, size_t size)
{
    return buddy_pages_alloc(mymalloc_buddy(heap), size);
}

/* Large blocks of pages that were never handed out are zero already. */
static void *mymalloc_zalloc(struct heap *heap, size_t size)
{
    struct buddy_pages *buddy = mymalloc_buddy(heap);
    uint32_t top = buddy->runs.top;
    void *fresh = buddy_pages_alloc(buddy, size);
    if (fresh && (size <= CHUNK_MAX || page_runs_number(&buddy->runs, fresh) < top))
        memset(fresh, 0, size);
    return fresh;
}

static void mymalloc_free(struct heap *heap, void *ref)
{
    buddy_pages_free(mymalloc_buddy(heap), ref);
}

static void *mymalloc_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    (void)old_size;
    return buddy_pages_realloc(mymalloc_buddy(heap), ref, size);
}

static void *mymalloc_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    return buddy_pages_alloc_aligned(mymalloc_buddy(heap), align, size);
}

static size_t mymalloc_usable(struct heap *heap, void *ref)
{
    return buddy_pages_usable(mymalloc_buddy(heap), ref);
}

static bool mymalloc_owns(struct heap *heap, const void *pointer)
{
    return buddy_pages_owns(mymalloc_buddy(heap), pointer);
}

static size_t mymalloc_trim(struct heap *heap)
{
    return buddy_pages_trim(mymalloc_buddy(heap));
}

/* ---- looking through ------------------------------------------------------------------------- */

/* A visitor that is asked until it says stop. */
struct mymalloc_walk {
    const struct buddy_pages *buddy;
    heap_visitor *visit;
    void *arg;
};

static int mymalloc_emit(const struct mymalloc_walk *walk, enum span_kind kind, const char *start,
                         size_t size)
{
    struct span span = {kind, start, size, NULL, 0};
    return size && walk->visit(walk->arg, &span);
}

static int mymalloc_emit_used(const struct mymalloc_walk *walk, const char *start, size_t size,
                              const char *payload)
{
    struct span span = {SPAN_USED, start, size, payload, buddy_pages_usable(walk->buddy, payload)};
    return walk->visit(walk->arg, &span);
}

/* What begins at `at` in a mapping; *size is its length. */
static int mymalloc_walk_chunk(const struct mymalloc_walk *walk, struct chunk *chunk, size_t *size)
{
    int32_t bytes = chunk_size(chunk);
    char *payload = chunk_payload(chunk);
    if (bytes < 0 && bytes % 8 != 0) {
        bytes += CHUNK_HOLDS_SHIFTED;
        payload += *(const int64_t *)(const void *)payload;
    }
    *size = (size_t)(bytes < 0 ? -bytes : bytes) + CHUNK_HEADER;
    *size &= ~(size_t)7;
    if (bytes > 0)
        return mymalloc_emit(walk, SPAN_FREE, (char *)chunk, *size);
    return mymalloc_emit_used(walk, (char *)chunk, *size, payload);
}

static int mymalloc_walk_mapping(const struct mymalloc_walk *walk, uint32_t first)
{
    char *start = page_runs_address(&walk->buddy->runs, first);
    size_t size = MAPPING_PAGES * RUN_PAGE;
    char *at = start + CHUNK_HEADER, *end = start + size + CHUNK_HEADER - (1 << CHUNK_MIN_LOG2);
    if (mymalloc_emit(walk, SPAN_AREA, start, size) ||
        mymalloc_emit(walk, SPAN_META, start, CHUNK_HEADER))
        return 1;
    for (size_t step; at < end; at += step)
        if (mymalloc_walk_chunk(walk, (struct chunk *)(void *)at, &step))
            return 1;
    return mymalloc_emit(walk, SPAN_META, end, (size_t)(start + size - end));
}

static int mymalloc_walk_run(const struct mymalloc_walk *walk, uint32_t first)
{
    const struct run_page *page = &walk->buddy->runs.page[first];
    char *start = page_runs_address(&walk->buddy->runs, first);
    size_t size = (size_t)page->pages << RUN_PAGE_LOG2;
    if (page->kind == RUN_CLEAN)
        return 0;
    if (page->kind == PAGE_SMALL)
        return mymalloc_walk_mapping(walk, first);
    if (mymalloc_emit(walk, SPAN_AREA, start, size))
        return 1;
    if (page->kind == RUN_DIRTY)
        return mymalloc_emit(walk, SPAN_FREE, start, size);
    return mymalloc_emit_used(walk, start, size, start + page->next + CHUNK_HEADER);
}

static int mymalloc_walk_area(const struct mymalloc_walk *walk, enum span_kind kind,
                              const char *start, size_t size)
{
    return mymalloc_emit(walk, SPAN_AREA, start, size) || mymalloc_emit(walk, kind, start, size);
}

static int mymalloc_walk(struct heap *heap, heap_visitor *visit, void *arg)
{
    const struct page_runs *runs = &mymalloc_buddy(heap)->runs;
    const struct mymalloc_walk walk = {mymalloc_buddy(heap), visit, arg};
    const char *table = (const char *)runs->page;
    if (mymalloc_walk_area(&walk, SPAN_META, (const char *)heap, (size_t)(table - (char *)heap)) ||
        mymalloc_walk_area(&walk, SPAN_META, table, runs->table_bytes))
        return 1;
    for (uint32_t first = 1; first < runs->top; first += runs->page[first].pages)
        if (mymalloc_walk_run(&walk, first))
            return 1;
    return mymalloc_walk_area(&walk, SPAN_FREE, page_runs_address(runs, runs->top),
                              (size_t)(runs->frontier - runs->top) << RUN_PAGE_LOG2);
}

static int mymalloc_count(void *arg, const struct span *span)
{
    struct heap_stats *stats = arg;
    if (span->kind == SPAN_USED) {
        stats->live_blocks++;
        stats->live_bytes += span->usable;
        stats->metadata_bytes += CHUNK_HEADER;
    } else if (span->kind == SPAN_FREE) {
        stats->free_bytes += span->size;
    } else if (span->kind == SPAN_META) {
        stats->metadata_bytes += span->size;
    } else {
        stats->held_bytes += span->size;
    }
    return 0;
}

static void mymalloc_stats(struct heap *heap, struct heap_stats *out)
{
    *out = (struct heap_stats){0};
    mymalloc_walk(heap, mymalloc_count, out);
}

static int mymalloc_check(struct heap *heap, char *why, size_t length)
{
    const struct chunk *damaged = buddy_pages_damaged(mymalloc_buddy(heap));
    if (!damaged)
        return 0;
    snprintf(why, length, "mymalloc: the header at %p is damaged", (const void *)damaged);
    return -EUCLEAN;
}

static int mymalloc_create(const struct heap_config *config, struct heap **out, struct err *err);

const struct allocator allocator_mymalloc = {
    .name = "mymalloc",
    .summary = "the classic mymalloc: buddies inside pages, four pages mapped at a time",
    .align = 16,
    .threads = THREADS_ONE,
    .scope = SCOPE_HEAP,
    .flags = ALLOCATOR_WALK_TILES | ALLOCATOR_FORK_SAFE,
    .create = mymalloc_create,
    .destroy = mymalloc_destroy,
    .alloc = mymalloc_alloc,
    .zalloc = mymalloc_zalloc,
    .free = mymalloc_free,
    .realloc = mymalloc_realloc,
    .alloc_aligned = mymalloc_alloc_aligned,
    .usable_size = mymalloc_usable,
    .owns = mymalloc_owns,
    .trim = mymalloc_trim,
    .stats = mymalloc_stats,
    .walk = mymalloc_walk,
    .check = mymalloc_check,
};

static int mymalloc_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    struct region *region = config->region;
    size_t control = (sizeof(struct mymalloc) + RUN_PAGE - 1) & ~(size_t)(RUN_PAGE - 1);
    if (region_commit(region, 0, control) < 0)
        return err_set(err, ENOMEM, "mymalloc: no memory for its first page");
    struct mymalloc *heap = (struct mymalloc *)(void *)region->base;
    heap->heap.ops = &allocator_mymalloc;
    if (buddy_pages_init(&heap->buddy, region, control, 0x6d796d61, false) < 0)
        return err_set(err, ENOMEM, "mymalloc: a region of %zu bytes is too small",
                       region->reserved);
    *out = &heap->heap;
    return 0;
}
