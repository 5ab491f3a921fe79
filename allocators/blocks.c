/* The parts of a heap of blocks that are rarely run: growing, giving back, looking through. */
#include "allocators/blocks.h"

#include <stdio.h>

#define BLOCKS_STEP ((size_t)32 << 10)    /* grow by this share of what there is, at least by ... */
#define BLOCKS_STRIDE ((size_t)256 << 10) /* ... and at most */
enum { BLOCKS_STEP_SHARE = 64 };
#define BLOCKS_SLACK ((size_t)64 << 10)  /* commit or give back so much at once */
#define BLOCKS_KEEP ((size_t)512 << 10)  /* keep so much above the top, or an eighth of the heap */
#define BLOCKS_CREDIT ((size_t)32 << 20) /* to begin with */
enum { BLOCKS_HOLE_LEAST = 768 };        /* granules that a block with a hole has at least, */
enum { BLOCKS_HOLES_MAX = 8192 };        /* of the 65,530 mappings a process may have */

static size_t blocks_page_up(size_t bytes)
{
    size_t mask = region_page() - 1;
    return (bytes + mask) & ~mask;
}

static size_t blocks_page_down(size_t bytes)
{
    return bytes & ~(region_page() - 1);
}

static size_t blocks_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t blocks_most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t blocks_starts_bytes(size_t last)
{
    return (last / 64 + 3) * sizeof(uint64_t);
}

static size_t blocks_extent_bytes(size_t last)
{
    return (last / fit_large(BLOCKS_PAIR) + 1) * sizeof(uint32_t);
}

int blocks_create(const struct heap_config *config, const struct allocator *ops, size_t heap_bytes,
                  size_t (*index_bytes)(size_t granules, unsigned pair), struct blocks **out,
                  struct err *err)
{
    struct region *region = config->region;
    size_t granules = blocks_least(region->reserved / 16, INT32_MAX);
    size_t control = blocks_page_up(heap_bytes);
    size_t apart = control + fit_store_bytes(blocks_starts_bytes(granules)) +
                   fit_store_bytes(blocks_extent_bytes(granules)) +
                   index_bytes(granules, BLOCKS_PAIR);
    if (apart + BLOCKS_STEP > region->reserved)
        return err_set(err, ENOMEM, "%s: a region of %zu bytes is too small, it takes at least %zu",
                       ops->name, region->reserved, apart + BLOCKS_STEP);
    size_t room = blocks_page_down(blocks_least(region->reserved - apart, granules * 16));
    if (region_commit(region, room, control) < 0)
        return err_set(err, ENOMEM, "%s: no memory for its first page", ops->name);
    struct blocks *blocks = (struct blocks *)(void *)(region->base + room);
    blocks->heap.ops = ops;
    blocks->base = region->base;
    blocks->limit = room / 16 - 1;
    blocks->credit = BLOCKS_CREDIT;
    blocks->region = region;
    blocks->store.region = region;
    blocks->store.next = region->base + room + control;
    char *starts = fit_store_table(&blocks->store, blocks_starts_bytes(blocks->limit));
    char *extent = fit_store_table(&blocks->store, blocks_extent_bytes(blocks->limit));
    blocks->starts = (uint64_t *)(void *)starts;
    blocks->extent = (uint32_t *)(void *)extent;
    *out = blocks;
    return 0;
}

int blocks_start(struct blocks *blocks, const struct blocks_policy *policy, struct err *err)
{
    if (blocks_reach(blocks, 16, policy))
        return err_set(err, ENOMEM, "%s: no memory for its first pages", blocks->heap.ops->name);
    blocks_set_start(blocks, blocks->top);
    return 0;
}

void blocks_destroy(struct heap *heap)
{
    (void)heap;
}

/* ---- sizes, whatever they are ---------------------------------------------------------------- */

size_t blocks_used_size(const struct blocks *blocks, size_t position)
{
    uint64_t near = blocks_starts_behind(blocks, position);
    if (near)
        return (size_t)__builtin_ctzll(near) + 1;
    uint64_t far = blocks_starts_behind(blocks, position + 64);
    size_t size = far ? (size_t)__builtin_ctzll(far) + 65 : fit_large(BLOCKS_PAIR);
    return size < fit_large(BLOCKS_PAIR) ? size : *blocks_extent(blocks, position);
}

size_t blocks_free_before(const struct blocks *blocks, size_t position)
{
    if (*blocks_code(blocks, position) == 0)
        return 0;
    uint64_t near = blocks_starts_before(blocks, position);
    if (near)
        return (size_t)__builtin_clzll(near) + 1;
    uint64_t far = blocks_starts_before(blocks, position - 64);
    if (far)
        return (size_t)__builtin_clzll(far) + 65;
    return blocks_extent(blocks, position - 1)[-1] & ~BLOCKS_HOLE;
}

struct blocks_hole blocks_hole_at(const struct blocks *blocks, size_t position, size_t size)
{
    const uint32_t *extent = blocks_extent(blocks, position);
    if (!blocks_is_large(size) || !(*extent & BLOCKS_HOLE))
        return (struct blocks_hole){0, 0};
    return (struct blocks_hole){extent[1] * region_page(), extent[2] * region_page()};
}

void blocks_set_hole(struct blocks *blocks, size_t position, struct blocks_hole hole)
{
    uint32_t *extent = blocks_extent(blocks, position);
    extent[0] |= BLOCKS_HOLE;
    extent[1] = (uint32_t)(hole.lo / region_page());
    extent[2] = (uint32_t)(hole.hi / region_page());
}

/* The granules of the block at `position`, free or used. */
static size_t blocks_size_at(const struct blocks *blocks, size_t position, bool *used)
{
    size_t size = blocks_free_size(blocks, position);
    *used = size == 0;
    return *used ? blocks_used_size(blocks, position) : size;
}

/* ---- growing and giving back ----------------------------------------------------------------- */

static int blocks_reach_exactly(struct blocks *blocks, size_t end,
                                const struct blocks_policy *policy)
{
    size_t last = end / 16;
    if (policy->reach(blocks, last) ||
        fit_store_reach(&blocks->store, blocks->starts, blocks_starts_bytes(last)) ||
        fit_store_reach(&blocks->store, blocks->extent, blocks_extent_bytes(last)) ||
        region_commit(blocks->region, blocks->committed, end - blocks->committed))
        return -ENOMEM;
    blocks->committed = end;
    return 0;
}

int blocks_reach(struct blocks *blocks, size_t end, const struct blocks_policy *policy)
{
    if (end <= blocks->committed)
        return 0;
    end = blocks_page_up(end);
    size_t share = blocks_least(blocks->committed / BLOCKS_STEP_SHARE, BLOCKS_STRIDE);
    size_t step = blocks_most(BLOCKS_STEP, share);
    size_t ahead = blocks_page_up(blocks->committed + step);
    ahead = blocks_least(blocks_most(ahead, end), (blocks->limit + 1) * 16);
    if (!blocks_reach_exactly(blocks, ahead, policy))
        return 0;
    return blocks_reach_exactly(blocks, end, policy);
}

/* Giving memory back and taking it again costs time; so it is bounded by what is allocated. */
static bool blocks_may_return(struct blocks *blocks, size_t bytes)
{
    if (bytes > blocks->credit)
        return false;
    blocks->credit -= bytes;
    return true;
}

static void blocks_give(struct blocks *blocks, size_t from, size_t to)
{
    if (from < to)
        region_decommit(blocks->region, from, to - from);
}

/* Ends what is committed at `end`. */
static void blocks_cut_top(struct blocks *blocks, size_t end)
{
    blocks_give(blocks, end, blocks->committed);
    blocks->committed = end;
    blocks->dirty = blocks_least(blocks->dirty, end);
}

void blocks_fall(struct blocks *blocks, size_t position, struct blocks_hole hole)
{
    blocks->dirty = blocks_most(blocks->dirty, blocks->top * 16);
    blocks->top = position;
    if (hole.lo < hole.hi) {
        blocks_give(blocks, hole.hi, blocks->committed);
        blocks->committed = hole.lo;
        blocks->dirty = blocks_least(blocks->dirty, hole.lo);
        blocks->holes--;
    }
    size_t bytes = position * 16, keep = blocks_most(BLOCKS_KEEP, bytes / 8);
    size_t end = blocks_page_up(bytes + keep);
    if (blocks->committed > end + keep && blocks_may_return(blocks, blocks->committed - end))
        blocks_cut_top(blocks, end);
}

/* The whole pages of a free block. */
static struct blocks_hole blocks_pages(const struct blocks *blocks, size_t position)
{
    size_t end = position + blocks_free_size(blocks, position);
    return (struct blocks_hole){
        .lo = blocks_page_up(16 * position),
        .hi = blocks_page_down(16 * end),
    };
}

static struct blocks_hole blocks_unite(struct blocks *blocks, struct blocks_hole low,
                                       struct blocks_hole high)
{
    if (low.lo == low.hi)
        return high;
    if (high.lo == high.hi)
        return low;
    blocks_give(blocks, low.hi, high.lo);
    blocks->holes--;
    return (struct blocks_hole){low.lo, high.hi};
}

void blocks_join(struct blocks *blocks, size_t position, struct blocks_hole low,
                 struct blocks_hole high)
{
    struct blocks_hole hole = blocks_unite(blocks, low, high);
    struct blocks_hole pages = blocks_pages(blocks, position);
    if (hole.lo == hole.hi) {
        if (pages.hi < pages.lo + BLOCKS_RETURN || blocks->holes >= BLOCKS_HOLES_MAX ||
            !blocks_may_return(blocks, pages.hi - pages.lo))
            return;
        blocks->holes++;
        hole = (struct blocks_hole){pages.lo, pages.lo};
    }
    if (hole.lo - pages.lo >= BLOCKS_SLACK && blocks_may_return(blocks, hole.lo - pages.lo)) {
        blocks_give(blocks, pages.lo, hole.lo);
        hole.lo = pages.lo;
    }
    if (pages.hi - hole.hi >= BLOCKS_SLACK) {
        blocks_give(blocks, hole.hi, pages.hi);
        hole.hi = pages.hi;
    }
    blocks_set_hole(blocks, position, hole);
}

int blocks_fill(struct blocks *blocks, size_t position, size_t end, struct blocks_hole *rest)
{
    size_t size = blocks_free_size(blocks, position), need = 16 * end;
    struct blocks_hole hole = blocks_hole_at(blocks, position, size);
    *rest = hole;
    if (need <= hole.lo)
        return 0;
    rest->lo = blocks_least(blocks_page_up(need + BLOCKS_SLACK), hole.hi);
    if (hole.hi - rest->lo < BLOCKS_SLACK || position + size < end + BLOCKS_HOLE_LEAST)
        rest->lo = hole.hi;
    if (region_commit(blocks->region, hole.lo, rest->lo - hole.lo))
        return -ENOMEM;
    blocks->holes -= rest->lo == rest->hi;
    return 0;
}

/* All whole pages of a free block; the contents only where a hole is not possible. Bytes given
 * back.
 */
static size_t blocks_trim_block(struct blocks *blocks, size_t position, size_t size)
{
    struct blocks_hole pages = blocks_pages(blocks, position);
    struct blocks_hole hole = blocks_hole_at(blocks, position, size);
    if (pages.lo >= pages.hi)
        return 0;
    size_t bytes = pages.hi - pages.lo - (hole.hi - hole.lo);
    if (hole.hi) {
        blocks_give(blocks, pages.lo, hole.lo);
        blocks_give(blocks, hole.hi, pages.hi);
    } else if (size >= BLOCKS_HOLE_LEAST && blocks->holes < BLOCKS_HOLES_MAX) {
        blocks_give(blocks, pages.lo, pages.hi);
        blocks->holes++;
    } else {
        region_discard(blocks->region, pages.lo, bytes);
        return bytes;
    }
    blocks_set_hole(blocks, position, pages);
    return bytes;
}

size_t blocks_trim(struct heap *heap)
{
    struct blocks *blocks = (struct blocks *)heap;
    size_t bytes = 0, end = blocks_page_up(16 * blocks->top);
    bool used;
    for (size_t position = 0, size; position < blocks->top; position += size) {
        size = blocks_size_at(blocks, position, &used);
        bytes += used ? 0 : blocks_trim_block(blocks, position, size);
    }
    if (blocks->committed > end) {
        bytes += blocks->committed - end;
        blocks->dirty = blocks_most(blocks->dirty, 16 * blocks->top);
        blocks_cut_top(blocks, end);
    }
    return bytes;
}

/* ---- looking through ------------------------------------------------------------------------- */

size_t blocks_usable(struct heap *heap, void *ref)
{
    const struct blocks *blocks = (const struct blocks *)heap;
    return blocks_used_size(blocks, blocks_position(blocks, ref)) * 16;
}

static size_t blocks_control_bytes(const struct blocks *blocks)
{
    size_t bytes = 0;
    for (size_t i = 0; i < blocks->store.count; i++)
        bytes += blocks->store.table[i].committed;
    return bytes + (size_t)(blocks->store.table[0].base - (const char *)blocks);
}

void blocks_stats(struct heap *heap, struct heap_stats *out)
{
    const struct blocks *blocks = (const struct blocks *)heap;
    *out = (struct heap_stats){.held_bytes = blocks->region->committed};
    bool used;
    for (size_t position = 0, size; position < blocks->top; position += size) {
        size = blocks_size_at(blocks, position, &used);
        out->live_blocks += used;
        out->live_bytes += used ? size * 16 : 0;
        out->free_bytes += used ? 0 : size * 16;
    }
    out->metadata_bytes = blocks_control_bytes(blocks);
}

static int blocks_walk_heap(const struct blocks *blocks, heap_visitor *visit, void *arg)
{
    struct span area = {SPAN_AREA, blocks->base, blocks->committed, NULL, 0};
    if (visit(arg, &area))
        return 1;
    bool used;
    for (size_t position = 0, size; position < blocks->top; position += size) {
        char *start = blocks_pointer(blocks, position);
        size = blocks_size_at(blocks, position, &used);
        struct span span = {SPAN_FREE, start, size * 16, NULL, 0};
        if (used)
            span = (struct span){SPAN_USED, start, size * 16, start, size * 16};
        if (visit(arg, &span))
            return 1;
    }
    size_t top = 16 * blocks->top;
    struct span rest = {SPAN_FREE, blocks->base + top, blocks->committed - top, NULL, 0};
    return rest.size && visit(arg, &rest);
}

static int blocks_walk_area(const char *start, size_t size, heap_visitor *visit, void *arg)
{
    struct span area = {SPAN_AREA, start, size, NULL, 0};
    struct span meta = {SPAN_META, start, size, NULL, 0};
    return size && (visit(arg, &area) || visit(arg, &meta));
}

int blocks_walk(struct heap *heap, heap_visitor *visit, void *arg)
{
    const struct blocks *blocks = (const struct blocks *)heap;
    const struct fit_table *table = blocks->store.table;
    const char *control = (const char *)blocks;
    if (blocks_walk_heap(blocks, visit, arg) ||
        blocks_walk_area(control, (size_t)(table->base - control), visit, arg))
        return 1;
    for (size_t i = 0; i < blocks->store.count; i++)
        if (blocks_walk_area(table[i].base, table[i].committed, visit, arg))
            return 1;
    return 0;
}

/* ---- checking -------------------------------------------------------------------------------- */

/* NULL, or what is wrong with the block at `position` behind a free or used one. */
static const char *blocks_flaw(const struct blocks *blocks, size_t position, bool before_used)
{
    bool used;
    size_t size = blocks_size_at(blocks, position, &used), end = position + size;
    if (size < 2 || size > blocks->top - position)
        return "its size is impossible";
    if (!(*blocks_word(blocks, position) >> position % 64 & 1) ||
        !(*blocks_word(blocks, end) >> end % 64 & 1))
        return "the table of starts lacks its start or its end";
    if (used)
        return *blocks_code(blocks, position) == (before_used ? 0 : BLOCKS_FREE_ENDS)
                   ? NULL
                   : "the map contradicts the block before it";
    if (!before_used)
        return "it is free beside a free block";
    if (*blocks_code(blocks, position) != fit_code(position, size, BLOCKS_PAIR))
        return "the map does not hold it as it is";
    if (end < blocks->top && blocks_free_before(blocks, end) != size)
        return "it is not found from its end";
    return NULL;
}

static int blocks_damaged(const struct blocks *blocks, size_t position, const char *flaw, char *why,
                          size_t length)
{
    snprintf(why, length, "%s: what is known of the block at %p (offset %zu) is damaged: %s",
             blocks->heap.ops->name, blocks_pointer(blocks, position), 16 * position, flaw);
    return -EUCLEAN;
}

static size_t blocks_count_starts(const struct blocks *blocks)
{
    size_t starts = 0;
    for (size_t position = 0; position <= blocks->top; position += 64)
        starts += (size_t)__builtin_popcountll(*blocks_word(blocks, position));
    return starts - 1; /* that of the top */
}

int blocks_check(struct heap *heap, char *why, size_t length)
{
    const struct blocks *blocks = (const struct blocks *)heap;
    size_t count = 0, free_count = 0, indexed = 0, starts = blocks_count_starts(blocks);
    bool used = true;
    for (size_t position = 0; position < blocks->top; count++, free_count += !used) {
        const char *flaw = blocks_flaw(blocks, position, used);
        if (flaw)
            return blocks_damaged(blocks, position, flaw, why, length);
        position += blocks_size_at(blocks, position, &used);
    }
    if (!used)
        return blocks_damaged(blocks, blocks->top, "a free block stands before it", why, length);
    for (size_t slot = 0; slot <= blocks->top >> BLOCKS_PAIR; slot++)
        indexed += blocks->map[slot] > BLOCKS_FREE_ENDS;
    if (indexed == free_count && starts == count)
        return 0;
    snprintf(why, length, "%s: %zu of %zu blocks are free, but the tables hold %zu of %zu",
             blocks->heap.ops->name, free_count, count, indexed, starts);
    return -EUCLEAN;
}
