/* pagemgr: the one-page manager of the classic interface over any number of pages.
 *
 * 1. Memory is `pages` pages, at first one hole. alloc takes the low end of the hole that the
 * policy chooses, exactly; what is left is a hole. free joins the chunk with both neighbours.
 * 2. first: the lowest hole that is large enough. best: the smallest, worst: the largest, of equals
 *    the lowest. next: the first at or behind the end of the last allocation, round the memory; if
 *    that place is inside a hole by now, from where this begins.
 * 3. Nothing is stored in the pages, and none go back to the system.
 * Chunks are multiples of 16 bytes here, of 8 in the classic interface. The policies are those of
 * Knuth, The Art of Computer Programming 1, 2.5. */
#include "allocators/holes.h"
#include "allocators/segments.h"
#include "allocators/sizes.h"

enum pagemgr_fit { FIT_FIRST, FIT_BEST, FIT_WORST, FIT_NEXT };
enum { OPTION_PAGES_ROW, OPTION_FIT_ROW };

struct pagemgr {
    struct segments segments;
    enum pagemgr_fit fit;
    size_t cursor;      /* next fit: the end of the last allocation */
    struct holes holes; /* but for best fit: */
    struct sizes sizes;
};

static const struct option_row pagemgr_options[] = {
    [OPTION_PAGES_ROW] = {"pages", OPTION_COUNT, "8388608", "pages of 4096 bytes to manage", NULL},
    [OPTION_FIT_ROW] = {"fit", OPTION_CHOICE, "first", "which hole is taken",
                        "first|best|worst|next"},
    {0},
};

FIT_INLINE void pagemgr_insert(struct pagemgr *heap, size_t position, size_t size, bool leftover)
{
    if (__builtin_expect(heap->fit == FIT_BEST, 0))
        sizes_insert(&heap->sizes, position, size);
    else
        holes_insert(&heap->holes, position, size, leftover);
}

/* The index by address needs no telling. */
FIT_INLINE void pagemgr_remove(struct pagemgr *heap, size_t position, size_t size)
{
    if (__builtin_expect(heap->fit == FIT_BEST && size, 0))
        sizes_remove(&heap->sizes, position, size);
}

/* The memory behind the last chunk is a hole like any other, and may be the smaller one. */
static size_t pagemgr_find_best(struct pagemgr *heap, size_t size)
{
    size_t position = sizes_find(&heap->sizes, &heap->segments.map, size);
    size_t top = heap->segments.limit - heap->segments.top;
    if (position == FIT_NONE || top < size)
        return position;
    return top < granules_size(&heap->segments.map, position) ? FIT_NONE : position;
}

/* Or the largest. */
static size_t pagemgr_find_worst(struct pagemgr *heap, size_t size)
{
    size_t position = holes_find_worst(&heap->holes, &heap->segments.map, size);
    if (position == FIT_NONE)
        return FIT_NONE;
    size_t top = heap->segments.limit - heap->segments.top;
    return top > granules_size(&heap->segments.map, position) ? FIT_NONE : position;
}

/* FIT_NONE: the top, which is ahead of the cursor unless that is at the very end. */
static size_t pagemgr_find_next(struct pagemgr *heap, size_t size)
{
    const struct segments *segments = &heap->segments;
    size_t position = holes_find_from(&heap->holes, &segments->map, size, heap->cursor);
    if (position != FIT_NONE)
        return position;
    if (segments->top >= heap->cursor && segments->limit - segments->top >= size)
        return FIT_NONE;
    return holes_find(&heap->holes, &segments->map, size);
}

FIT_INLINE size_t pagemgr_find(struct pagemgr *heap, size_t size)
{
    if (__builtin_expect(heap->fit == FIT_FIRST, 1))
        return holes_find(&heap->holes, &heap->segments.map, size);
    if (heap->fit == FIT_BEST)
        return pagemgr_find_best(heap, size);
    return heap->fit == FIT_WORST ? pagemgr_find_worst(heap, size) : pagemgr_find_next(heap, size);
}

static size_t pagemgr_place(struct segments *segments, size_t size)
{
    struct pagemgr *heap = (struct pagemgr *)segments;
    size_t position = size > segments->limit ? FIT_NONE : pagemgr_find(heap, size);
    if (__builtin_expect(position == FIT_NONE, 0)) {
        position = segments_take_top(segments, size);
    } else {
        size_t rest = segments_take(segments, position, size);
        pagemgr_remove(heap, position, size + rest);
        if (rest > 0)
            pagemgr_insert(heap, position + size, rest, true);
    }
    if (position != FIT_NONE)
        heap->cursor = position + size;
    return position;
}

static void *pagemgr_alloc(struct heap *heap, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t position = pagemgr_place(segments, segments_granules(segments, size));
    return position == FIT_NONE ? NULL : segments_pointer(segments, position);
}

FIT_INLINE void pagemgr_release(struct segments *segments, size_t position)
{
    struct pagemgr *heap = (struct pagemgr *)segments;
    struct segments_hole hole = segments_release(segments, position, true, true);
    size_t end = hole.start + hole.size;
    pagemgr_remove(heap, hole.start, hole.before);
    pagemgr_remove(heap, end - hole.behind, hole.behind);
    bool at_top = end == segments->top;
    if (heap->cursor > hole.start && heap->cursor < (at_top ? segments->limit : end))
        heap->cursor = hole.start;
    if (__builtin_expect(at_top, 0))
        segments_fall(segments, hole.start);
    else
        pagemgr_insert(heap, hole.start, hole.size, false);
}

static void pagemgr_free(struct heap *heap, void *ref)
{
    struct segments *segments = (struct segments *)heap;
    pagemgr_release(segments, segments_position(segments, ref));
}

static void *pagemgr_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t position = segments_position(segments, ref);
    if (segments_resize(segments, position, segments_granules(segments, size)))
        return ref;
    void *moved = pagemgr_alloc(heap, size);
    if (!moved)
        return NULL;
    memcpy(moved, ref, old_size < size ? old_size : size);
    pagemgr_free(heap, ref);
    return moved;
}

static void *pagemgr_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t position = segments_place_aligned(segments, align, segments_granules(segments, size));
    return position == FIT_NONE ? NULL : segments_pointer(segments, position);
}

/* ---- for the paths that are not inlined ------------------------------------------------------ */

static void pagemgr_release_any(struct segments *segments, size_t position)
{
    pagemgr_release(segments, position);
}

static void pagemgr_remove_any(struct segments *segments, size_t position, size_t size)
{
    pagemgr_remove((struct pagemgr *)segments, position, size);
}

static void pagemgr_leave(struct segments *segments, size_t position, size_t size)
{
    pagemgr_insert((struct pagemgr *)segments, position, size, true);
}

static size_t pagemgr_index_bytes(size_t count)
{
    return holes_bytes(count) + sizes_bytes(count);
}

static int pagemgr_reach(struct segments *segments, size_t last)
{
    struct pagemgr *heap = (struct pagemgr *)segments;
    if (heap->fit == FIT_BEST)
        return sizes_reach(&heap->sizes, last, &segments->store);
    return holes_reach(&heap->holes, last, &segments->store);
}

static const struct segments_policy pagemgr_policy = {
    .reach = pagemgr_reach,
    .place = pagemgr_place,
    .release = pagemgr_release_any,
    .remove = pagemgr_remove_any,
    .leave = pagemgr_leave,
};

static int pagemgr_create(const struct heap_config *config, struct heap **out, struct err *err);

const struct allocator allocator_pagemgr = {
    .name = "pagemgr",
    .summary = "the classic one-page manager, over many pages: nothing stored in the memory",
    .align = 16,
    .threads = THREADS_ONE,
    .scope = SCOPE_HEAP,
    .flags = ALLOCATOR_WALK_TILES | ALLOCATOR_FORK_SAFE,
    .options = pagemgr_options,
    .create = pagemgr_create,
    .destroy = segments_destroy,
    .alloc = pagemgr_alloc,
    .zalloc = segments_zalloc,
    .free = pagemgr_free,
    .realloc = pagemgr_realloc,
    .alloc_aligned = pagemgr_alloc_aligned,
    .usable_size = segments_usable,
    .owns = segments_owns,
    .stats = segments_stats,
    .walk = segments_walk,
    .check = segments_check,
};

static int pagemgr_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    uint64_t pages = config->values[OPTION_PAGES_ROW].number;
    if (pages == 0 || pages > SIZE_MAX / 8192)
        return err_set(err, EINVAL, "pagemgr: pages=%llu cannot be; give 1 or more",
                       (unsigned long long)pages);
    struct segments *segments;
    const struct segments_layout layout = {
        .heap_bytes = sizeof(struct pagemgr),
        .most = (size_t)pages * 4096,
        .index_bytes = pagemgr_index_bytes,
    };
    int error = segments_create(config, &allocator_pagemgr, &layout, &segments, err);
    if (error)
        return error;
    struct pagemgr *heap = (struct pagemgr *)segments;
    heap->fit = (enum pagemgr_fit)config->values[OPTION_FIT_ROW].number;
    holes_init(&heap->holes, segments->limit + 64, &segments->store);
    sizes_init(&heap->sizes, segments->limit + 64, &segments->store);
    *out = &segments->heap;
    return segments_start(segments, &pagemgr_policy, err);
}
