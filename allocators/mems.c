/* mems: the MeMS of the classic interface, whose blocks are named by virtual addresses of its own.
 *
 * 1. The main chain is the mappings, in the order in which they were made; the sub-chain of each is
 *    the segments that tile it, PROCESS or HOLE. alloc takes the low end of the first hole that is
 *    large enough in that order, else of a new mapping of as many pages as it takes.
 * 2. free makes the segment a hole, joined with the holes next to it in its mapping. Nothing is
 *    given back.
 * 3. MeMS virtual addresses of successive mappings follow each other; mems_get finds the mapping of
 *    an address in a table by page, and from it the memory. Every touch of a block goes through it.
 * Requests are rounded up to 16 bytes, which the classic interface does not do. */
#include "allocators/holes.h"
#include "allocators/segments.h"

enum { OPTION_PAGE_ROW, OPTION_START_ROW };

/* A node of the main chain. */
struct mems_mapping {
    char *memory;
    uint32_t page, pages; /* virtual pages from the start on */
};

struct mems {
    struct segments segments;
    uintptr_t start;    /* the first virtual address */
    unsigned page_log2; /* of a page in granules */
    struct holes holes;
    struct mems_mapping *chain;
    uint32_t *node; /* of each page: its place in the chain */
    size_t chain_length;
};

static const struct option_row mems_options[] = {
    [OPTION_PAGE_ROW] = {"page", OPTION_SIZE, "4k", "bytes of a page, a power of two", NULL},
    [OPTION_START_ROW] = {"start", OPTION_COUNT, "1000", "the first MeMS virtual address", NULL},
    {0},
};

FIT_INLINE uintptr_t mems_virtual(const struct mems *heap, size_t position)
{
    return heap->start + 16 * position;
}

FIT_INLINE size_t mems_position(const struct mems *heap, const void *ref)
{
    return ((uintptr_t)ref - heap->start) >> 4;
}

/* Whether a mapping begins at `position`. */
FIT_INLINE bool mems_is_border(const struct mems *heap, size_t position)
{
    size_t page = position >> heap->page_log2;
    if (__builtin_expect(page << heap->page_log2 != position, 1))
        return false;
    return position == heap->segments.top || heap->chain[heap->node[page]].page == page;
}

/* A node of the main chain with one segment, of which `size` granules are used: its position. */
static size_t mems_map(struct mems *heap, size_t size)
{
    struct segments *segments = &heap->segments;
    size_t page = segments->top >> heap->page_log2;
    size_t pages = ((size - 1) >> heap->page_log2) + 1;
    size_t position = segments_take_top(segments, pages << heap->page_log2);
    if (position == FIT_NONE)
        return FIT_NONE;
    heap->chain[heap->chain_length] = (struct mems_mapping){
        .memory = segments_pointer(segments, position), (uint32_t)page, (uint32_t)pages};
    for (size_t i = 0; i < pages; i++)
        heap->node[page + i] = (uint32_t)heap->chain_length;
    heap->chain_length++;
    size_t rest = segments_take(segments, position, size);
    if (rest > 0)
        holes_insert(&heap->holes, position + size, rest, false);
    return position;
}

FIT_INLINE size_t mems_place(struct segments *segments, size_t size)
{
    struct mems *heap = (struct mems *)segments;
    if (__builtin_expect(size > segments->limit, 0))
        return FIT_NONE;
    size_t position = holes_find(&heap->holes, &segments->map, size);
    if (__builtin_expect(position == FIT_NONE, 0))
        return mems_map(heap, size);
    size_t rest = segments_take(segments, position, size);
    if (rest > 0)
        holes_insert(&heap->holes, position + size, rest, true);
    return position;
}

static void *mems_alloc(struct heap *heap, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t position = mems_place(segments, segments_granules(segments, size));
    if (position == FIT_NONE)
        return NULL;
    return (void *)mems_virtual((struct mems *)heap, position);
}

FIT_INLINE void mems_release(struct segments *segments, size_t position)
{
    struct mems *heap = (struct mems *)segments;
    size_t end = position + granules_size(&segments->map, position);
    struct segments_hole hole = segments_release(
        segments, position, !mems_is_border(heap, position), !mems_is_border(heap, end));
    holes_insert(&heap->holes, hole.start, hole.size, false);
}

static void mems_free(struct heap *heap, void *ref)
{
    mems_release((struct segments *)heap, mems_position((struct mems *)heap, ref));
}

/* mems_get */
static void *mems_resolve(struct heap *heap, void *ref)
{
    const struct mems *mems = (const struct mems *)heap;
    uintptr_t offset = (uintptr_t)ref - mems->start;
    const struct mems_mapping *mapping = &mems->chain[mems->node[offset >> mems->page_log2 >> 4]];
    return mapping->memory + (offset - ((uintptr_t)mapping->page << mems->page_log2 << 4));
}

/* A new mapping is zero already. */
static void *mems_zalloc(struct heap *heap, size_t size)
{
    size_t top = ((struct segments *)heap)->top;
    void *fresh = mems_alloc(heap, size);
    if (fresh && mems_position((struct mems *)heap, fresh) < top)
        memset(mems_resolve(heap, fresh), 0, size);
    return fresh;
}

/* The inverse is a subtraction, as mappings follow each other in the region too. */
static void *mems_ref_of(struct heap *heap, void *pointer)
{
    const struct mems *mems = (const struct mems *)heap;
    return (void *)(mems->start + (uintptr_t)((char *)pointer - mems->segments.base));
}

static size_t mems_usable(struct heap *heap, void *ref)
{
    return 16 *
           granules_size(&((struct segments *)heap)->map, mems_position((struct mems *)heap, ref));
}

static void *mems_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t position = mems_position((struct mems *)heap, ref);
    if (segments_resize(segments, position, segments_granules(segments, size)))
        return ref;
    void *moved = mems_alloc(heap, size);
    if (!moved)
        return NULL;
    memcpy(mems_resolve(heap, moved), mems_resolve(heap, ref), old_size < size ? old_size : size);
    mems_free(heap, ref);
    return moved;
}

static void *mems_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t position = segments_place_aligned(segments, align, segments_granules(segments, size));
    if (position == FIT_NONE)
        return NULL;
    return (void *)mems_virtual((struct mems *)heap, position);
}

/* ---- for the paths that are not inlined ------------------------------------------------------ */

static size_t mems_index_bytes(size_t count)
{
    size_t pages = count / (region_page() / 16) + 1;
    return holes_bytes(count) + fit_store_bytes(pages * sizeof(struct mems_mapping)) +
           fit_store_bytes(pages * sizeof(uint32_t));
}

static int mems_reach(struct segments *segments, size_t last)
{
    struct mems *heap = (struct mems *)segments;
    size_t pages = (last >> heap->page_log2) + 1;
    if (fit_store_reach(&segments->store, heap->node, pages * sizeof *heap->node) ||
        fit_store_reach(&segments->store, heap->chain, pages * sizeof *heap->chain))
        return -ENOMEM;
    return holes_reach(&heap->holes, last, &segments->store);
}

static void mems_release_any(struct segments *segments, size_t position)
{
    mems_release(segments, position);
}

static size_t mems_place_any(struct segments *segments, size_t size)
{
    return mems_place(segments, size);
}

/* The index needs no telling. */
static void mems_remove(struct segments *segments, size_t position, size_t size)
{
    (void)segments;
    (void)position;
    (void)size;
}

static void mems_leave(struct segments *segments, size_t position, size_t size)
{
    holes_insert(&((struct mems *)segments)->holes, position, size, true);
}

static bool mems_joins(struct segments *segments, size_t position)
{
    return !mems_is_border((struct mems *)segments, position);
}

static const struct segments_policy mems_policy = {
    .reach = mems_reach,
    .place = mems_place_any,
    .release = mems_release_any,
    .remove = mems_remove,
    .leave = mems_leave,
    .joins = mems_joins,
};

static int mems_create(const struct heap_config *config, struct heap **out, struct err *err);

const struct allocator allocator_mems = {
    .name = "mems",
    .summary = "MeMS: first fit over mapped pages, blocks named by virtual addresses of its own",
    .align = 16,
    .threads = THREADS_ONE,
    .scope = SCOPE_HEAP,
    .flags = ALLOCATOR_WALK_TILES | ALLOCATOR_FORK_SAFE,
    .options = mems_options,
    .create = mems_create,
    .destroy = segments_destroy,
    .alloc = mems_alloc,
    .zalloc = mems_zalloc,
    .free = mems_free,
    .realloc = mems_realloc,
    .alloc_aligned = mems_alloc_aligned,
    .usable_size = mems_usable,
    .resolve = mems_resolve,
    .ref_of = mems_ref_of,
    .owns = segments_owns,
    .stats = segments_stats,
    .walk = segments_walk,
    .check = segments_check,
};

static int mems_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    uint64_t page = config->values[OPTION_PAGE_ROW].number;
    uint64_t start = config->values[OPTION_START_ROW].number;
    if (page < region_page() || page > UINT32_MAX || (page & (page - 1)) != 0)
        return err_set(err, EINVAL, "mems: page=%llu is no power of two from %zu on",
                       (unsigned long long)page, region_page());
    if (start == 0 || start > UINTPTR_MAX / 2)
        return err_set(err, EINVAL, "mems: start=%llu cannot be: block 0 would be no block",
                       (unsigned long long)start);
    struct segments *segments;
    const struct segments_layout layout = {
        .heap_bytes = sizeof(struct mems),
        .most = SIZE_MAX,
        .index_bytes = mems_index_bytes,
    };
    int error = segments_create(config, &allocator_mems, &layout, &segments, err);
    if (error)
        return error;
    struct mems *heap = (struct mems *)segments;
    size_t pages = segments->limit / (page / 16);
    heap->start = start;
    heap->page_log2 = (unsigned)__builtin_ctzll(page) - 4;
    heap->node =
        (uint32_t *)(void *)fit_store_table(&segments->store, (pages + 1) * sizeof(uint32_t));
    heap->chain = (struct mems_mapping *)(void *)fit_store_table(
        &segments->store, (pages + 1) * sizeof(struct mems_mapping));
    holes_init(&heap->holes, segments->limit + 64, &segments->store);
    *out = &segments->heap;
    return segments_start(segments, &mems_policy, err);
}
