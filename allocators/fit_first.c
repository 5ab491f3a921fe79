/* Laying out the index by address, and its searches that need no inlining. */
#include "allocators/fit_first.h"

/* The sizes with a hint of their own: all up to 18, then four to eight a doubling. */
static const uint8_t fit_hinted[FIT_HINTS] = {1,  2,  3,  4,  5,  6,  7,  8,  9,   10, 11,
                                              12, 13, 14, 15, 16, 17, 18, 20, 22,  24, 28,
                                              32, 36, 40, 48, 56, 64, 80, 96, 112, 127};

static void fit_first_init_hints(struct fit_first *index)
{
    size_t below = 0, above = 0;
    for (size_t size = 0; size <= FIT_LARGE; size++) {
        while (below + 1 < FIT_HINTS && fit_hinted[below + 1] <= size)
            below++;
        while (fit_hinted[above] < size)
            above++;
        index->below[size] = (uint8_t)below;
        index->above[size] = (uint8_t)above;
        index->band[size] = (uint8_t)((size > 3) + (size > 6) + (size > 12));
    }
    for (size_t i = 0; i < FIT_CURSORS; i++) {
        index->cursor[i] = 0;
        index->cursor_size[i] = FIT_LARGE + 1;
    }
    for (size_t i = 0; i < FIT_HINTS; i++) {
        index->hint[i] = FIT_HINT_NONE;
        index->ramp[i] = 0;
        index->ramp[FIT_HINTS + i] = INT16_MAX;
    }
    index->hint_shift = 0;
}

static size_t fit_first_groups(size_t granules, unsigned pair)
{
    return (((granules - 1) >> pair) >> FIT_GROUP_LOG2) + 1;
}

size_t fit_first_bytes(size_t granules, unsigned pair)
{
    size_t slots = ((granules - 1) >> pair) + 1;
    return fit_tree_bytes(false, slots) + fit_tree_bytes(true, fit_first_groups(granules, pair));
}

void fit_first_init(struct fit_first *index, size_t granules, unsigned pair,
                    struct fit_store *store)
{
    fit_tree_init(&index->small, false, ((granules - 1) >> pair) + 1, store);
    fit_tree_init(&index->large, true, fit_first_groups(granules, pair), store);
    fit_first_init_hints(index);
}

/* Hints count in steps so coarse that the last group can be named. */
static void fit_first_coarsen(struct fit_first *index, size_t last_group)
{
    for (; last_group >> index->hint_shift >= FIT_HINT_NONE; index->hint_shift++)
        for (int i = 0; i < FIT_HINTS; i++)
            if (index->hint[i] != FIT_HINT_NONE)
                index->hint[i] /= 2;
}

int fit_first_reach(struct fit_first *index, size_t last, unsigned pair, struct fit_store *store)
{
    size_t slot = last >> pair, group = slot >> FIT_GROUP_LOG2;
    int error = fit_tree_reach(&index->large, true, group, store);
    if (!error)
        error = fit_tree_reach(&index->small, false, slot, store);
    if (!error)
        fit_first_coarsen(index, group);
    return error;
}

static size_t fit_first_small_from(struct fit_first *index, size_t size, size_t from, unsigned pair)
{
    const uint8_t *map = fit_first_map(index);
    size_t slot = from >> pair;
    if (slot <= index->small.last && fit_position(slot, map[slot], pair) < from)
        slot++;
    return fit_tree_seek(&index->small, false, 0, slot, fit_want(size, pair));
}

static size_t fit_first_large_from(struct fit_first *index, size_t size, size_t from, unsigned pair)
{
    const uint8_t *map = fit_first_map(index);
    size_t group = from >> pair >> FIT_GROUP_LOG2;
    for (;; group++) { /* at most twice: only in the first group can a block begin before `from` */
        group = fit_tree_seek(&index->large, true, 0, group, (uint32_t)size);
        if (group == FIT_NONE)
            return FIT_NONE;
        size_t slot = fit_map_large_in(map, group);
        if (fit_position(slot, map[slot], pair) >= from)
            return slot;
    }
}

size_t fit_first_find_from(struct fit_first *index, size_t size, size_t from, unsigned pair)
{
    return size < fit_large(pair) ? fit_first_small_from(index, size, from, pair)
                                  : fit_first_large_from(index, size, from, pair);
}

size_t fit_first_find_worst(struct fit_first *index, size_t size, unsigned pair)
{
    uint32_t largest = fit_tree_max(&index->large, true);
    if (largest)
        return largest >= size ? fit_first_find_large(index, largest) : FIT_NONE;
    uint8_t code = (uint8_t)fit_tree_max(&index->small, false);
    if (code >> 1 < fit_want(size, pair) >> 1)
        return FIT_NONE;
    return fit_tree_first(&index->small, false, code & 0xfe);
}
