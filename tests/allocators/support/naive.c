/* Placement by linear search. */
#include "tests/allocators/support/naive.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void naive_init(struct naive *naive, enum naive_policy policy)
{
    bool shared = policy == NAIVE_SHARED;
    *naive = (struct naive){.policy = policy,
                            .top = shared ? 1 : 0,
                            .tag = shared || policy == NAIVE_OSTEP ? 8 : 0,
                            .grow = 4096,
                            .least = 1,
                            .spare = shared ? 1 : 0,
                            .page = policy == NAIVE_MEMS ? 4096 / 16 : 0};
    naive_pages_init(&naive->pages);
}

void naive_release(struct naive *naive)
{
    free(naive->free);
    free(naive->border);
    naive_pages_release(&naive->pages);
}

static void naive_insert(struct naive *naive, size_t i, struct extent extent)
{
    if (naive->count == naive->room) {
        naive->room = naive->room ? 2 * naive->room : 1024;
        naive->free = realloc(naive->free, naive->room * sizeof *naive->free);
    }
    memmove(naive->free + i + 1, naive->free + i, (naive->count++ - i) * sizeof extent);
    naive->free[i] = extent;
}

static void naive_remove(struct naive *naive, size_t i)
{
    memmove(naive->free + i, naive->free + i + 1, (--naive->count - i) * sizeof *naive->free);
}

/* ---- mappings -------------------------------------------------------------------------------- */

static bool naive_is_border(const struct naive *naive, size_t start)
{
    return naive->page && start % naive->page == 0 &&
           (start == naive->top || naive->border[start / naive->page]);
}

/* A mapping of whole pages at the top, of which `size` granules are used. */
static struct extent naive_map(struct naive *naive, size_t size)
{
    struct extent block = {naive->top, size};
    naive->top += (size + naive->page - 1) / naive->page * naive->page;
    size_t pages = naive->top / naive->page;
    naive->border = realloc(naive->border, pages * sizeof *naive->border);
    for (; naive->borders < pages; naive->borders++)
        naive->border[naive->borders] = naive->borders == block.start / naive->page;
    size_t end = block.start + size;
    if (end < naive->top)
        naive_insert(naive, naive->count, (struct extent){end, naive->top - end});
    return block;
}

/* ---- the fits -------------------------------------------------------------------------------- */

static size_t naive_granules(const struct naive *naive, size_t bytes)
{
    size_t granules = (bytes + naive->tag + 15) / 16;
    return granules < naive->least ? naive->least : granules;
}

/* Whether extent `a` is to be taken rather than the earlier one `b`. */
static bool naive_is_better(const struct naive *naive, struct extent a, struct extent b)
{
    switch (naive->policy) {
    case NAIVE_BEST:
        return a.size < b.size;
    case NAIVE_WORST:
        return a.size > b.size;
    case NAIVE_NEXT:
        return a.start >= naive->rover && b.start < naive->rover;
    case NAIVE_OSTEP:
        return true;
    default:
        return false;
    }
}

static size_t naive_find(const struct naive *naive, size_t size)
{
    size_t found = naive->count;
    for (size_t i = 0; i < naive->count; i++)
        if (naive->free[i].size >= size &&
            (found == naive->count || naive_is_better(naive, naive->free[i], naive->free[found])))
            found = i;
    return found;
}

/* Cuts `size` granules off a free extent. */
static struct extent naive_cut(struct naive *naive, size_t i, size_t size)
{
    struct extent *extent = &naive->free[i], block = {extent->start, size};
    if (extent->size - size < naive->least) {
        block.size = extent->size;
        naive_remove(naive, i);
    } else {
        *extent = (struct extent){extent->start + size, extent->size - size};
    }
    return block;
}

static struct extent naive_place(struct naive *naive, size_t size)
{
    size_t i = naive_find(naive, size);
    struct extent block = {naive->top, size};
    if (i < naive->count)
        block = naive_cut(naive, i, size);
    else if (naive->page)
        block = naive_map(naive, size);
    else
        naive->top += size;
    naive->rover = block.start + block.size;
    return block;
}

static size_t naive_after(const struct naive *naive, size_t start)
{
    size_t low = 0, high = naive->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (naive->free[middle].start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The place of the free extent that begins at `start`; count: none does. */
static size_t naive_at(const struct naive *naive, size_t start)
{
    size_t i = naive->policy == NAIVE_OSTEP ? 0 : naive_after(naive, start);
    while (i < naive->count && naive->policy == NAIVE_OSTEP && naive->free[i].start != start)
        i++;
    return i < naive->count && naive->free[i].start == start ? i : naive->count;
}

/* By time: what comes of it and its neighbours is the latest. */
static void naive_give_latest(struct naive *naive, struct extent block)
{
    for (size_t i = naive->count; i-- > 0;) {
        struct extent other = naive->free[i];
        if (other.start + other.size != block.start && block.start + block.size != other.start)
            continue;
        block.start = other.start < block.start ? other.start : block.start;
        block.size += other.size;
        naive_remove(naive, i);
    }
    if (block.start + block.size == naive->top)
        naive->top = block.start;
    else
        naive_insert(naive, naive->count, block);
}

static void naive_give(struct naive *naive, struct extent block)
{
    if (naive->policy == NAIVE_OSTEP) {
        naive_give_latest(naive, block);
        return;
    }
    size_t i = naive_after(naive, block.start);
    if (i < naive->count && naive->free[i].start == block.start + block.size &&
        !naive_is_border(naive, naive->free[i].start)) {
        block.size += naive->free[i].size;
        naive_remove(naive, i);
    }
    if (i > 0 && naive->free[i - 1].start + naive->free[i - 1].size == block.start &&
        !naive_is_border(naive, block.start)) {
        block = (struct extent){naive->free[i - 1].start, naive->free[i - 1].size + block.size};
        naive_remove(naive, --i);
    }
    if (block.start + block.size == naive->top && !naive->page) {
        naive->top = block.start;
        return;
    }
    if (naive->rover >= block.start && naive->rover < block.start + block.size)
        naive->rover = block.start;
    naive_insert(naive, i, block);
}

static struct extent naive_shrink(struct naive *naive, struct extent block, size_t size)
{
    if (block.size - size < naive->least)
        return block;
    naive_give(naive, (struct extent){block.start + size, block.size - size});
    return (struct extent){block.start, size};
}

/* Takes `more` granules from where a block ends, if they are free: what was taken, or size 0. */
static struct extent naive_take_behind(struct naive *naive, size_t end, size_t more)
{
    struct extent none = {end, 0};
    if (naive_is_border(naive, end))
        return none;
    if (end == naive->top) {
        naive->top += more;
        return (struct extent){end, more};
    }
    size_t i = naive_at(naive, end);
    if (i == naive->count || naive->free[i].size < more)
        return none;
    if (naive->policy == NAIVE_OSTEP) { /* the rest becomes the latest */
        struct extent all = naive->free[i];
        naive_remove(naive, i);
        naive_insert(naive, i = naive->count, all);
    }
    return naive_cut(naive, i, more);
}

static struct extent naive_resize(struct naive *naive, struct extent block, size_t size)
{
    if (size <= block.size)
        return naive_shrink(naive, block, size);
    size_t more = naive_take_behind(naive, block.start + block.size, size - block.size).size;
    if (more)
        return (struct extent){block.start, block.size + more};
    struct extent fresh = naive_place(naive, size);
    naive_give(naive, block);
    return fresh;
}

static struct extent naive_align(struct naive *naive, size_t step, size_t size)
{
    struct extent block = naive_place(naive, size + step + naive->spare - 1);
    size_t gap = 0;
    while ((naive->origin + block.start + gap) % step || (gap && gap < naive->least))
        gap++;
    if (gap)
        naive_give(naive, (struct extent){block.start, gap});
    return naive_shrink(naive, (struct extent){block.start + gap, block.size - gap}, size);
}

/* ---- buddies --------------------------------------------------------------------------------- */

static size_t naive_power(size_t bytes)
{
    size_t power = 2;
    while (power * 16 < bytes)
        power *= 2;
    return power;
}

static void naive_buddy_give(struct naive *naive, struct extent block)
{
    for (size_t i = 0; i < naive->count; i++)
        if (naive->free[i].start == (block.start ^ block.size) &&
            naive->free[i].size == block.size) {
            naive_remove(naive, i);
            naive_buddy_give(naive, (struct extent){block.start & ~block.size, block.size * 2});
            return;
        }
    naive_insert(naive, naive->count, block);
}

static struct extent naive_buddy_halve(struct naive *naive, struct extent block, size_t size)
{
    while (block.size > size) {
        block.size /= 2;
        naive_insert(naive, naive->count, (struct extent){block.start + block.size, block.size});
    }
    return block;
}

static struct extent naive_buddy_grow(struct naive *naive, size_t size)
{
    struct extent block = {naive->top, size > naive->grow ? size : naive->grow};
    while (block.start % block.size) {
        size_t gap = block.start & -block.start;
        naive_buddy_give(naive, (struct extent){block.start, gap});
        block.start += gap;
    }
    naive->top = block.start + block.size;
    return block;
}

static struct extent naive_buddy_place(struct naive *naive, size_t size)
{
    size_t found = naive->count;
    for (size_t i = 0; i < naive->count; i++)
        if (naive->free[i].size >= size &&
            (found == naive->count || naive->free[i].size <= naive->free[found].size))
            found = i;
    if (found == naive->count)
        return naive_buddy_halve(naive, naive_buddy_grow(naive, size), size);
    struct extent block = naive->free[found];
    naive_remove(naive, found);
    return naive_buddy_halve(naive, block, size);
}

/* Doubles the block where it stands as often as it takes; false: some upper half is not free. */
static bool naive_buddy_double(struct naive *naive, struct extent *block, size_t size)
{
    size_t upper[64], halves = 0;
    for (size_t part = block->size; part < size; part *= 2) {
        size_t i = 0;
        while (i < naive->count &&
               (naive->free[i].start != block->start + part || naive->free[i].size != part))
            i++;
        if (block->start & part || i == naive->count)
            return false;
        upper[halves++] = naive->free[i].start;
    }
    for (size_t i = 0; i < naive->count;)
        for (size_t half = 0; half <= halves; half++) {
            if (half == halves) {
                i++;
            } else if (naive->free[i].start == upper[half]) {
                naive_remove(naive, i);
                break;
            }
        }
    block->size = size;
    return true;
}

static struct extent naive_buddy_resize(struct naive *naive, struct extent block, size_t size)
{
    if (size <= block.size)
        return naive_buddy_halve(naive, block, size);
    if (naive_buddy_double(naive, &block, size))
        return block;
    struct extent fresh = naive_buddy_place(naive, size);
    naive_buddy_give(naive, block);
    return fresh;
}

/* ---- all ------------------------------------------------------------------------------------- */

static struct naive_pages *naive_pages(struct naive *naive)
{
    naive->pages.origin = naive->origin;
    return &naive->pages;
}

struct extent naive_alloc(struct naive *naive, size_t bytes)
{
    if (naive->policy == NAIVE_MYMALLOC)
        return naive_pages_alloc(naive_pages(naive), bytes);
    if (naive->policy == NAIVE_BUDDY)
        return naive_buddy_place(naive, naive_power(bytes));
    return naive_place(naive, naive_granules(naive, bytes));
}

struct extent naive_alloc_aligned(struct naive *naive, size_t align, size_t bytes)
{
    if (naive->policy == NAIVE_MYMALLOC)
        return naive_pages_alloc_aligned(naive_pages(naive), align, bytes);
    if (naive->policy == NAIVE_BUDDY)
        return naive_buddy_place(naive, naive_power(bytes > align ? bytes : align));
    return naive_align(naive, align / 16, naive_granules(naive, bytes));
}

void naive_free(struct naive *naive, struct extent block)
{
    if (naive->policy == NAIVE_MYMALLOC)
        naive_pages_free(naive_pages(naive), block);
    else if (naive->policy == NAIVE_BUDDY)
        naive_buddy_give(naive, block);
    else
        naive_give(naive, block);
}

struct extent naive_realloc(struct naive *naive, struct extent block, size_t bytes)
{
    if (naive->policy == NAIVE_MYMALLOC)
        return naive_pages_realloc(naive_pages(naive), block, bytes);
    if (naive->policy == NAIVE_BUDDY)
        return naive_buddy_resize(naive, block, naive_power(bytes));
    return naive_resize(naive, block, naive_granules(naive, bytes));
}
