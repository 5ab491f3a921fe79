/* The parts of a heap of blocks that are rarely run: growing, giving back, looking through. */
#include "allocators/blocks.h"

#include <stdio.h>

#define BLOCKS_STEP ((size_t)32 << 10)    /* grow by this share of what there is, at least by ... */
#define BLOCKS_STRIDE ((size_t)256 << 10) /* ... and at most */
enum { BLOCKS_STEP_SHARE = 64 };
#define BLOCKS_SLACK ((size_t)64 << 10)  /* commit or give back so much at once */
#define BLOCKS_KEEP ((size_t)512 << 10)  /* keep so much above the top, or an eighth of the heap */
#define BLOCKS_CREDIT ((size_t)32 << 20) /* to begin with */
enum { BLOCKS_HOLES_MAX = 8192 };        /* of the 65,530 mappings a process may have */

static size_t blocks_page_up(size_t bytes)
{
    size_t mask = region_page() - 1;
    return (bytes + mask) & ~mask;
}

/* The granules of the block at `position`, free or used. */
static size_t blocks_size_at(const struct blocks *blocks, size_t position, bool *used)
{
    size_t size = blocks_free_size(blocks, position);
    *used = size == 0;
    return *used ? blocks_size(*blocks_tag(blocks, position)) : size;
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

int blocks_create(const struct heap_config *config, const struct allocator *ops, size_t heap_bytes,
                  size_t (*index_bytes)(size_t granules, unsigned pair), struct blocks **out,
                  struct err *err)
{
    struct region *region = config->region;
    size_t granules = blocks_least(region->reserved / 16, UINT32_MAX);
    size_t control = blocks_page_up(heap_bytes);
    size_t apart = control + index_bytes(granules, BLOCKS_PAIR);
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
    *out = blocks;
    return 0;
}

int blocks_start(struct blocks *blocks, const struct blocks_policy *policy, struct err *err)
{
    if (blocks_reach(blocks, 16, policy))
        return err_set(err, ENOMEM, "%s: no memory for its first pages", blocks->heap.ops->name);
    blocks->top = 1;
    return 0;
}

void blocks_destroy(struct heap *heap)
{
    (void)heap;
}

/* ---- growing and giving back ----------------------------------------------------------------- */

static int blocks_reach_exactly(struct blocks *blocks, size_t end,
                                const struct blocks_policy *policy)
{
    if (policy->reach(blocks, end / 16) ||
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
    size_t begin = blocks->committed;
    bool small = end - begin <= BLOCKS_STEP;
    if (!blocks_reach_exactly(blocks, ahead, policy)) {
        if (small)
            region_populate(blocks->region, begin, ahead - begin);
        return 0;
    }
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

/* The whole pages of a free block that its tags do not need. */
static struct blocks_hole blocks_pages(const struct blocks *blocks, size_t position)
{
    size_t end = position + blocks_free_size(blocks, position);
    return (struct blocks_hole){
        .lo = blocks_page_up(16 * position + sizeof(struct blocks_hole)),
        .hi = blocks_page_down(16 * end - 16),
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
    *blocks_hole_of(blocks, position) = hole;
    *blocks_tag(blocks, position) |= BLOCKS_HOLE;
}

int blocks_fill(struct blocks *blocks, size_t position, size_t end, struct blocks_hole *rest)
{
    struct blocks_hole hole = *blocks_hole_of(blocks, position);
    *rest = hole;
    size_t need = 16 * end + sizeof hole;
    if (need <= hole.lo)
        return 0;
    rest->lo = blocks_least(blocks_page_up(need + BLOCKS_SLACK), hole.hi);
    if (hole.hi - rest->lo < BLOCKS_SLACK)
        rest->lo = hole.hi;
    if (region_commit(blocks->region, hole.lo, rest->lo - hole.lo))
        return -ENOMEM;
    blocks->holes -= rest->lo == rest->hi;
    return 0;
}

/* All whole pages of a free block. Bytes given back. */
static size_t blocks_trim_block(struct blocks *blocks, size_t position)
{
    struct blocks_hole pages = blocks_pages(blocks, position);
    if (pages.lo >= pages.hi)
        return 0;
    size_t bytes = pages.hi - pages.lo;
    uint64_t *tag = blocks_tag(blocks, position);
    if (*tag & BLOCKS_HOLE) {
        struct blocks_hole hole = *blocks_hole_of(blocks, position);
        blocks_give(blocks, pages.lo, hole.lo);
        blocks_give(blocks, hole.hi, pages.hi);
        bytes -= hole.hi - hole.lo;
    } else if (blocks->holes < BLOCKS_HOLES_MAX) {
        blocks_give(blocks, pages.lo, pages.hi);
        blocks->holes++;
    } else {
        region_discard(blocks->region, pages.lo, bytes);
        return bytes;
    }
    *blocks_hole_of(blocks, position) = pages;
    *tag |= BLOCKS_HOLE;
    return bytes;
}

size_t blocks_trim(struct heap *heap)
{
    struct blocks *blocks = (struct blocks *)heap;
    size_t bytes = 0, end = blocks_page_up(16 * blocks->top);
    bool used;
    for (size_t position = 1, size; position < blocks->top; position += size) {
        size = blocks_size_at(blocks, position, &used);
        bytes += used ? 0 : blocks_trim_block(blocks, position);
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
    return blocks_size(*blocks_tag(blocks, blocks_position(blocks, ref))) * 16 - 8;
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
    for (size_t position = 1, size; position < blocks->top; position += size) {
        size = blocks_size_at(blocks, position, &used);
        out->live_blocks += used;
        out->live_bytes += used ? size * 16 - 8 : 0;
        out->free_bytes += used ? 0 : size * 16;
    }
    out->metadata_bytes = blocks_control_bytes(blocks) + 8 * out->live_blocks + 8;
}

static int blocks_walk_heap(const struct blocks *blocks, heap_visitor *visit, void *arg)
{
    struct span area = {SPAN_AREA, blocks->base, blocks->committed, NULL, 0};
    struct span first = {SPAN_META, blocks->base, 8, NULL, 0};
    if (visit(arg, &area) || visit(arg, &first))
        return 1;
    bool used;
    for (size_t position = 1, size; position < blocks->top; position += size) {
        char *start = blocks_pointer(blocks, position);
        size = blocks_size_at(blocks, position, &used);
        struct span span = {SPAN_FREE, start - 8, size * 16, NULL, 0};
        if (used)
            span = (struct span){SPAN_USED, start - 8, size * 16, start, size * 16 - 8};
        if (visit(arg, &span))
            return 1;
    }
    size_t top = 16 * blocks->top - 8;
    struct span rest = {SPAN_FREE, blocks->base + top, blocks->committed - top, NULL, 0};
    return visit(arg, &rest);
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
    uint64_t tag = *blocks_tag(blocks, position);
    size_t size = blocks_size_at(blocks, position, &used);
    if (size < 2 || size > blocks->top - position)
        return "its size is impossible";
    if (used && (tag & 15) != BLOCKS_USED)
        return "it has flags that no used block has";
    if (used && *blocks_code(blocks, position) != (before_used ? 0 : BLOCKS_FREE_ENDS))
        return "the index contradicts the block before it";
    if (used)
        return NULL;
    if (size >= fit_large(BLOCKS_PAIR) && tag & 15 & ~(uint64_t)BLOCKS_HOLE)
        return "it has flags that no free block has";
    if (!before_used)
        return "it is free beside a free block";
    if (*blocks_end_tag(blocks, position + size) != size << 4)
        return "the copy of its size at its end differs";
    if (*blocks_code(blocks, position) != fit_code(position, size, BLOCKS_PAIR))
        return "the index does not hold it as it is";
    return NULL;
}

static int blocks_damaged(const struct blocks *blocks, size_t position, const char *flaw, char *why,
                          size_t length)
{
    snprintf(why, length, "%s: the block at %p (offset %zu) is damaged: %s", blocks->heap.ops->name,
             blocks_pointer(blocks, position), 16 * position, flaw);
    return -EUCLEAN;
}

int blocks_check(struct heap *heap, char *why, size_t length)
{
    const struct blocks *blocks = (const struct blocks *)heap;
    size_t free_blocks = 0, indexed = 0;
    bool used = true;
    for (size_t position = 1; position < blocks->top;) {
        const char *flaw = blocks_flaw(blocks, position, used);
        if (flaw)
            return blocks_damaged(blocks, position, flaw, why, length);
        position += blocks_size_at(blocks, position, &used);
        free_blocks += !used;
    }
    if (!used)
        return blocks_damaged(blocks, blocks->top, "it is free and beside a free block", why,
                              length);
    for (size_t slot = 0; slot <= blocks->top >> BLOCKS_PAIR; slot++)
        indexed += blocks->map[slot] > BLOCKS_FREE_ENDS;
    if (indexed == free_blocks)
        return 0;
    snprintf(why, length, "%s: the index holds %zu free blocks, the heap %zu",
             blocks->heap.ops->name, indexed, free_blocks);
    return -EUCLEAN;
}
