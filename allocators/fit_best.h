/* An index of free blocks by size and address: exact best fit, the lowest address among equals.
 *
 * 1. Small sizes: the byte map, and above it for each class a tree of bitmaps ("a block of this
 *    class may begin below here"), with a count and a lower bound of the lowest place a class.
 *    Bits are set at once and cleared by the search that finds nothing under them.
 * 2. Large sizes: a digital search tree a power of two, keyed by size and then address, its nodes
 *    in a table with one entry a group of the map, as at most one large block begins in a group
 *    (Knuth, The Art of Computer Programming 3, 6.3, algorithm D; the use for best fit is that of
 *    D. Lea's dlmalloc). Depth at most the bits of a key, whatever the calls.
 * Memory: the map, a quarter of it for the bitmaps and nearly that for the nodes.
 *
 * Positions and sizes in granules; `pair` as in fit_map.h, a constant of the caller. Positions stay
 * below 2^32, sizes too. Nothing here points into the heap. */
#ifndef ALLOCATORS_FIT_BEST_H
#define ALLOCATORS_FIT_BEST_H

#include "allocators/fit_map.h"
#include "allocators/fit_store.h"

enum { FIT_CLASSES = FIT_LARGE, FIT_BEST_LEVELS = 6, FIT_SIZE_BITS = 32 };

/* Bit i of may[c]: class c may begin under the i-th child. */
struct fit_classes {
    uint64_t may[FIT_CLASSES + 1];
};

/* Of the large block that begins in a group. Links are group + 1; 0 is none. */
struct fit_node {
    uint32_t size;
    uint32_t child[2];
};

struct fit_best {
    uint8_t *map;
    struct fit_classes *level[FIT_BEST_LEVELS]; /* children of level 0 are groups */
    unsigned height;                            /* the level that is one node */
    size_t last_group;
    uint64_t some[2]; /* bit c: class c has a block */
    uint32_t count[FIT_CLASSES];
    uint32_t lowest[FIT_CLASSES]; /* a slot below which none of the class begins */
    struct fit_node *node;
    uint64_t roots; /* bit i: root[i] is set */
    uint32_t root[FIT_SIZE_BITS];
    unsigned group_bits;
};

/* Bytes in a store for positions below `granules`. */
size_t fit_best_bytes(size_t granules, unsigned pair);

/* An empty index for positions below `granules`; reach comes before the first use. */
void fit_best_init(struct fit_best *index, size_t granules, unsigned pair, struct fit_store *store);

/* Makes positions up to `last` usable: 0 or -ENOMEM. */
int fit_best_reach(struct fit_best *index, size_t last, unsigned pair, struct fit_store *store);

void fit_best_insert_large(struct fit_best *index, size_t group, size_t size);
void fit_best_remove_large(struct fit_best *index, size_t group, size_t size);

/* The group of the smallest large block of `size` granules or more, or FIT_NONE. */
size_t fit_best_find_large(const struct fit_best *index, size_t size);

/* The lowest slot of a class from child `i` of `level` on, or FIT_NONE. */
size_t fit_best_seek(struct fit_best *index, unsigned class, unsigned level, size_t i);

/* Sets the bits above level 0 that tell of a block in `group`. */
FIT_INLINE void fit_best_raise(struct fit_best *index, unsigned class, size_t group)
{
    for (unsigned level = 0; level <= index->height; level++) {
        uint64_t *may = &index->level[level][group >> 6].may[class],
                 bit = (uint64_t)1 << group % 64;
        if (__builtin_expect((*may & bit) != 0, 1))
            return;
        *may |= bit;
        group >>= 6;
    }
}

/* A free block is there now; size 0: no free block begins there, without a branch. */
FIT_INLINE void fit_best_insert(struct fit_best *index, size_t position, size_t size, unsigned pair)
{
    size_t slot = position >> pair;
    uint8_t code = fit_code(position, size, pair);
    unsigned class = code >> 1;
    index->map[slot] = code;
    if (__builtin_expect(size >= fit_large(pair), 0)) {
        fit_best_insert_large(index, slot >> FIT_GROUP_LOG2, size);
        return;
    }
    /* Of an empty class the bound that is left over says nothing. */
    uint32_t bound = index->lowest[class] | -(uint32_t)(index->count[class]++ == 0);
    index->lowest[class] = slot < bound ? (uint32_t)slot : bound;
    index->some[class / 64] |= (uint64_t)1 << class % 64;
    fit_best_raise(index, class, slot >> FIT_GROUP_LOG2);
}

/* The free block there is gone; size 0: `position` is where no free block begins. */
FIT_INLINE void fit_best_remove(struct fit_best *index, size_t position, size_t size, unsigned pair)
{
    size_t slot = position >> pair;
    index->map[slot] = 0;
    if (__builtin_expect(size >= fit_large(pair), 0)) {
        fit_best_remove_large(index, slot >> FIT_GROUP_LOG2, size);
        return;
    }
    unsigned class = fit_code(0, size, pair) >> 1;
    index->some[class / 64] &= ~((uint64_t)(--index->count[class] == 0) << class % 64);
}

/* The smallest class of `class` or more that has a block, or FIT_LARGE. */
FIT_INLINE unsigned fit_best_class(const struct fit_best *index, unsigned class)
{
    uint64_t low = class < 64 ? index->some[0] >> class : 0;
    if (__builtin_expect(low != 0, 1))
        return class + (unsigned)__builtin_ctzll(low);
    unsigned from = class < 64 ? 64 : class;
    uint64_t high = index->some[1] >> from % 64;
    return high ? from + (unsigned)__builtin_ctzll(high) : FIT_LARGE;
}

/* The smallest free block of at least `size` granules, the first among equals: its slot, or
 * FIT_NONE. */
FIT_INLINE size_t fit_best_find(struct fit_best *index, size_t size, unsigned pair)
{
    unsigned class = fit_best_class(index, fit_want(size, pair) >> 1);
    if (__builtin_expect(class == FIT_LARGE, 0)) {
        size_t group = fit_best_find_large(index, size);
        return group == FIT_NONE ? FIT_NONE : fit_map_large_in(index->map, group);
    }
    size_t group = index->lowest[class] >> FIT_GROUP_LOG2, slot;
    uint64_t mask = fit_match_class(index->map + group * FIT_GROUP, (uint8_t)(class << 1));
    if (__builtin_expect(mask != 0, 1))
        slot = group * FIT_GROUP + (size_t)__builtin_ctzll(mask);
    else
        slot = fit_best_seek(index, class, 0, group + 1);
    index->lowest[class] = (uint32_t)slot;
    return slot;
}

#endif
