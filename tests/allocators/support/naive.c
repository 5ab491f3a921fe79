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
                            .tag = shared ? 8 : 0,
                            .grow = 4096,
                            .least = shared ? 1 : 2};
}

void naive_release(struct naive *naive)
{
    free(naive->free);
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

/* ---- first, best, next and worst fit --------------------------------------------------------- */

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

static void naive_give(struct naive *naive, struct extent block)
{
    size_t i = naive_after(naive, block.start);
    if (i < naive->count && naive->free[i].start == block.start + block.size) {
        block.size += naive->free[i].size;
        naive_remove(naive, i);
    }
    if (i > 0 && naive->free[i - 1].start + naive->free[i - 1].size == block.start) {
        block = (struct extent){naive->free[i - 1].start, naive->free[i - 1].size + block.size};
        naive_remove(naive, --i);
    }
    if (block.start + block.size == naive->top) {
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

static struct extent naive_resize(struct naive *naive, struct extent block, size_t size)
{
    size_t end = block.start + block.size;
    if (size <= block.size)
        return naive_shrink(naive, block, size);
    if (end == naive->top) {
        naive->top = block.start + size;
        return (struct extent){block.start, size};
    }
    size_t i = naive_after(naive, end);
    if (i < naive->count && naive->free[i].start == end &&
        block.size + naive->free[i].size >= size) {
        block.size += naive_cut(naive, i, size - block.size).size;
        return block;
    }
    struct extent fresh = naive_place(naive, size);
    naive_give(naive, block);
    return fresh;
}

static struct extent naive_align(struct naive *naive, size_t step, size_t size)
{
    struct extent block = naive_place(naive, size + step + naive->least - 1);
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

struct extent naive_alloc(struct naive *naive, size_t bytes)
{
    if (naive->policy == NAIVE_BUDDY)
        return naive_buddy_place(naive, naive_power(bytes));
    return naive_place(naive, naive_granules(naive, bytes));
}

struct extent naive_alloc_aligned(struct naive *naive, size_t align, size_t bytes)
{
    if (naive->policy == NAIVE_BUDDY)
        return naive_buddy_place(naive, naive_power(bytes > align ? bytes : align));
    return naive_align(naive, align / 16, naive_granules(naive, bytes));
}

void naive_free(struct naive *naive, struct extent block)
{
    if (naive->policy == NAIVE_BUDDY)
        naive_buddy_give(naive, block);
    else
        naive_give(naive, block);
}

struct extent naive_realloc(struct naive *naive, struct extent block, size_t bytes)
{
    if (naive->policy == NAIVE_BUDDY)
        return naive_buddy_resize(naive, block, naive_power(bytes));
    return naive_resize(naive, block, naive_granules(naive, bytes));
}
