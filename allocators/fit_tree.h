/* A tree of maxima over an array: the first element at least as large as a number.
 *
 * Level 0 is the array (the bytes of a fit_map, or 32-bit sizes: `wide`, a constant of the caller);
 * an element of level l + 1 is an upper bound of a group of level l, 64 bytes or 16 sizes. Growing
 * an element raises its bounds at once; shrinking one leaves them, and a search that finds a group
 * without what its bound promised corrects the bound: each correction is paid for by a shrinking.
 * A search visits at most two groups a level and corrected bound. */
#ifndef ALLOCATORS_FIT_TREE_H
#define ALLOCATORS_FIT_TREE_H

#include <stdbool.h>

#include "allocators/fit_map.h"
#include "allocators/fit_store.h"

enum { FIT_LEVELS = 8 };

struct fit_tree {
    void *level[FIT_LEVELS];
    size_t last;     /* the highest element in use */
    unsigned height; /* the level that is one group */
};

FIT_INLINE unsigned fit_tree_fan_log2(bool wide)
{
    return wide ? FIT_WIDE_LOG2 : FIT_GROUP_LOG2;
}

FIT_INLINE uint32_t fit_tree_at(const struct fit_tree *tree, bool wide, unsigned level, size_t i)
{
    return wide ? ((const uint32_t *)tree->level[level])[i]
                : ((const uint8_t *)tree->level[level])[i];
}

FIT_INLINE void fit_tree_put(struct fit_tree *tree, bool wide, unsigned level, size_t i,
                             uint32_t value)
{
    if (wide)
        ((uint32_t *)tree->level[level])[i] = value;
    else
        ((uint8_t *)tree->level[level])[i] = (uint8_t)value;
}

FIT_INLINE uint64_t fit_tree_match(const struct fit_tree *tree, bool wide, unsigned level,
                                   size_t group, uint32_t want)
{
    if (wide)
        return fit_match_wide((const uint32_t *)tree->level[level] + group * FIT_WIDE, want);
    return fit_match_least((const uint8_t *)tree->level[level] + group * FIT_GROUP, (uint8_t)want);
}

FIT_INLINE uint32_t fit_tree_group_max(const struct fit_tree *tree, bool wide, unsigned level,
                                       size_t group)
{
    if (wide)
        return fit_wide_max((const uint32_t *)tree->level[level] + group * FIT_WIDE);
    return fit_group_max((const uint8_t *)tree->level[level] + group * FIT_GROUP);
}

/* Element `i` has become `value` and may be above its bounds. */
FIT_INLINE void fit_tree_raise(struct fit_tree *tree, bool wide, size_t i, uint32_t value)
{
    for (unsigned level = 1; level <= tree->height; level++) {
        i >>= fit_tree_fan_log2(wide);
        if (__builtin_expect(fit_tree_at(tree, wide, level, i) >= value, 1))
            return;
        fit_tree_put(tree, wide, level, i, value);
    }
}

/* The lowest element that is at least `want` > 0 and lies under element `i` of `level` or after it;
 * FIT_NONE when there is none. */
FIT_INLINE size_t fit_tree_seek(struct fit_tree *tree, bool wide, unsigned level, size_t i,
                                uint32_t want)
{
    unsigned fan = fit_tree_fan_log2(wide);
    while (i <= tree->last >> (fan * level)) {
        size_t group = i >> fan, place = i - (group << fan);
        uint64_t mask = fit_tree_match(tree, wide, level, group, want) >> place << place;
        if (mask) {
            i = (group << fan) + (size_t)__builtin_ctzll(mask);
            if (level == 0)
                return i;
            level--;
            i <<= fan;
            continue;
        }
        if (place == 0 && level < tree->height)
            fit_tree_put(tree, wide, level + 1, group,
                         fit_tree_group_max(tree, wide, level, group));
        level++;
        i = group + 1;
    }
    return FIT_NONE;
}

/* The first element that is at least `want` > 0. */
FIT_INLINE size_t fit_tree_first(struct fit_tree *tree, bool wide, uint32_t want)
{
    return fit_tree_seek(tree, wide, tree->height, 0, want);
}

/* The largest element, 0 when all are 0. */
FIT_INLINE uint32_t fit_tree_max(struct fit_tree *tree, bool wide)
{
    uint32_t max;
    while ((max = fit_tree_group_max(tree, wide, tree->height, 0)) > 0 &&
           fit_tree_first(tree, wide, max) == FIT_NONE)
        continue;
    return max;
}

/* Bytes in a store for up to `count` elements. */
size_t fit_tree_bytes(bool wide, size_t count);

/* An empty tree for up to `count` elements. */
void fit_tree_init(struct fit_tree *tree, bool wide, size_t count, struct fit_store *store);

/* Makes elements up to `last` usable: 0 or -ENOMEM. */
int fit_tree_reach(struct fit_tree *tree, bool wide, size_t last, struct fit_store *store);

#endif
