/* A tree of maxima over an array of sizes: the first one that is at least as large as a number.
 *
 * Level 0 is the array; an element of level l + 1 is an upper bound of a group of 16 of level l.
 * Growing an element raises its bounds at once; shrinking one leaves them, and a search that finds
 * a group without what its bound promised corrects the bound: each correction is paid for by a
 * shrinking. A search visits at most two groups a level and corrected bound. */
#ifndef ALLOCATORS_FIT_TREE_H
#define ALLOCATORS_FIT_TREE_H

#include <stdbool.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "allocators/fit_store.h"

enum { FIT_GROUP_LOG2 = 4, FIT_GROUP = 1 << FIT_GROUP_LOG2, FIT_LEVELS = 8 };

struct fit_tree {
    uint32_t *level[FIT_LEVELS];
    size_t last;     /* the highest element in use */
    unsigned height; /* the level that is one group */
};

#ifdef __SSE2__
/* Bit i is set where group[i] >= want; want > 0. */
FIT_INLINE uint64_t fit_match(const uint32_t *group, uint32_t want)
{
    const __m128i *part = (const __m128i *)(const void *)group;
    __m128i sign = _mm_set1_epi32(INT32_MIN); /* SSE2 compares signed numbers only */
    __m128i below = _mm_xor_si128(_mm_set1_epi32((int)(want - 1)), sign);
    __m128i hit[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        hit[i] = _mm_cmpgt_epi32(_mm_xor_si128(_mm_load_si128(part + i), sign), below);
    __m128i low = _mm_packs_epi32(hit[0], hit[1]), high = _mm_packs_epi32(hit[2], hit[3]);
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}
#else
FIT_INLINE uint64_t fit_match(const uint32_t *group, uint32_t want)
{
    uint64_t mask = 0;
    for (int i = 0; i < FIT_GROUP; i++)
        mask |= (uint64_t)(group[i] >= want) << i;
    return mask;
}
#endif

FIT_INLINE uint32_t fit_max(const uint32_t *group)
{
    uint32_t max = 0;
    for (int i = 0; i < FIT_GROUP; i++)
        max = group[i] > max ? group[i] : max;
    return max;
}

/* Bit i: element i of the group is at least `want`. */
FIT_INLINE uint64_t fit_tree_match(const struct fit_tree *tree, unsigned level, size_t group,
                                   uint32_t want)
{
    return fit_match(tree->level[level] + group * FIT_GROUP, want);
}

FIT_INLINE uint32_t fit_tree_group_max(const struct fit_tree *tree, unsigned level, size_t group)
{
    return fit_max(tree->level[level] + group * FIT_GROUP);
}

/* Element `i` has become `value` and may be above its bounds. */
FIT_INLINE void fit_tree_raise(struct fit_tree *tree, size_t i, uint32_t value)
{
    for (unsigned level = 1; level <= tree->height; level++) {
        i >>= FIT_GROUP_LOG2;
        if (__builtin_expect(tree->level[level][i] >= value, 1))
            return;
        tree->level[level][i] = value;
    }
}

/* The lowest element that is at least `want` > 0 and lies under element `i` of `level` or after it;
 * FIT_NONE when there is none. */
FIT_INLINE size_t fit_tree_seek(struct fit_tree *tree, unsigned level, size_t i, uint32_t want)
{
    while (i <= tree->last >> (FIT_GROUP_LOG2 * level)) {
        size_t group = i >> FIT_GROUP_LOG2, place = i - (group << FIT_GROUP_LOG2);
        uint64_t mask = fit_tree_match(tree, level, group, want) >> place << place;
        if (mask) {
            i = (group << FIT_GROUP_LOG2) + (size_t)__builtin_ctzll(mask);
            if (level == 0)
                return i;
            level--;
            i <<= FIT_GROUP_LOG2;
            continue;
        }
        if (place == 0 && level < tree->height)
            tree->level[level + 1][group] = fit_tree_group_max(tree, level, group);
        level++;
        i = group + 1;
    }
    return FIT_NONE;
}

/* The first element that is at least `want` > 0. */
FIT_INLINE size_t fit_tree_first(struct fit_tree *tree, uint32_t want)
{
    return fit_tree_seek(tree, tree->height, 0, want);
}

/* The largest element, 0 when all are 0. */
FIT_INLINE uint32_t fit_tree_max(struct fit_tree *tree)
{
    uint32_t max;
    while ((max = fit_tree_group_max(tree, tree->height, 0)) > 0 &&
           fit_tree_first(tree, max) == FIT_NONE)
        continue;
    return max;
}

/* Bytes in a store for up to `count` elements. */
size_t fit_tree_bytes(size_t count);

/* An empty tree for up to `count` elements. */
void fit_tree_init(struct fit_tree *tree, size_t count, struct fit_store *store);

/* Gives the memory of elements behind `last` back; they are 0. */
void fit_tree_retreat(struct fit_tree *tree, size_t last, struct fit_store *store);

/* Makes elements up to `last` usable: 0 or -ENOMEM. */
int fit_tree_reach(struct fit_tree *tree, size_t last, struct fit_store *store);

#endif
