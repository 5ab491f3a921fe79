/* An index of free blocks by size and address: exact best fit, the lowest address among equals.
 *
 * 1. Small sizes: the byte map, and above it for each size a tree of bitmaps ("a block of this
 *    size may begin below here"), with a count and a lower bound of the lowest place a size.
 *    Bits are set at once and cleared by the search that finds nothing under them.
 * 2. Large sizes: a digital search tree a power of two, keyed by size and then address, its nodes
 *    in a table with one entry a group of the map, as at most one large block begins in a group
 *    (Knuth, The Art of Computer Programming 3, 6.3, algorithm D; the use for best fit is that of
 *    D. Lea's dlmalloc). Depth at most the bits of a key, whatever the calls. The smallest one
 *    stands outside: it is cut again and again while small sizes have nothing of their own.
 * Memory: the map, a quarter of it for the bitmaps and nearly that for the nodes.
 *
 * Positions and sizes in granules; `pair` as in fit_map.h, a constant of the caller. Positions stay
 * below 2^32, sizes too. Nothing here points into the heap. */
#ifndef ALLOCATORS_FIT_BEST_H
#define ALLOCATORS_FIT_BEST_H

#include "allocators/fit_map.h"
#include "allocators/fit_store.h"

enum { FIT_SIZES = FIT_LARGE + 1, FIT_BEST_LEVELS = 6, FIT_SIZE_BITS = 32 };

/* Bit i of may[s]: a block of size s may begin under the i-th child. */
struct fit_sizes {
    uint64_t may[FIT_SIZES];
};

/* Of the large block that begins in a group. Links are group + 1; 0 is none. */
struct fit_node {
    uint32_t size;
    uint32_t child[2];
};

struct fit_best {
    uint8_t *map;
    struct fit_sizes *level[FIT_BEST_LEVELS]; /* children of level 0 are groups */
    unsigned height;                          /* the level that is one node */
    size_t last_group;
    uint64_t some[FIT_SIZES / 64]; /* bit s: count[s] may be above 0, else it is not */
    uint32_t count[FIT_SIZES];     /* [0] counts for nothing */
    uint32_t lowest[FIT_SIZES];    /* a slot below which none of the size begins */
    uint32_t least_size;           /* of the smallest large block; 0: it may be in the tree */
    uint32_t least_group;
    uint32_t floor; /* least_size being 0: all in the tree are at least so large */
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
size_t fit_best_find_large(struct fit_best *index, size_t size);

/* The lowest slot of a small size from child `i` of `level` on, or FIT_NONE. */
size_t fit_best_seek(struct fit_best *index, size_t size, unsigned pair, unsigned level, size_t i);

/* Sets the bits above level 0 that tell of a block in `group`. */
FIT_INLINE void fit_best_raise(struct fit_best *index, size_t size, size_t group)
{
    for (unsigned level = 0; level <= index->height; level++) {
        uint64_t *may = &index->level[level][group >> 6].may[size], bit = (uint64_t)1 << group % 64;
        if (__builtin_expect((*may & bit) != 0, 1))
            return;
        *may |= bit;
        group >>= 6;
    }
}

/* A free block is there now; size 0: no free block begins there. */
FIT_INLINE void fit_best_insert(struct fit_best *index, size_t position, size_t size, unsigned pair)
{
    size_t slot = position >> pair;
    index->map[slot] = fit_code(position, size, pair);
    if (size == 0)
        return;
    if (__builtin_expect(size >= fit_large(pair), 0)) {
        fit_best_insert_large(index, slot >> FIT_GROUP_LOG2, size);
        return;
    }
    /* Of a size without blocks the bound that is left over says nothing. */
    uint32_t bound = index->lowest[size] | -(uint32_t)(index->count[size]++ == 0);
    index->lowest[size] = slot < bound ? (uint32_t)slot : bound;
    index->some[size / 64] |= (uint64_t)1 << size % 64;
    fit_best_raise(index, size, slot >> FIT_GROUP_LOG2);
}

/* The free block there is gone; size 0: `position` is where no free block begins, without a branch.
 */
FIT_INLINE void fit_best_remove(struct fit_best *index, size_t position, size_t size, unsigned pair)
{
    size_t slot = position >> pair;
    index->map[slot] = 0;
    if (__builtin_expect(size >= fit_large(pair), 0))
        fit_best_remove_large(index, slot >> FIT_GROUP_LOG2, size);
    else
        index->count[size]--;
}

/* The smallest size from `size` on that `some` tells of, or FIT_SIZES. */
FIT_INLINE size_t fit_best_some(const struct fit_best *index, size_t size)
{
    uint64_t low = size < 64 ? index->some[0] >> size : 0;
    if (__builtin_expect(low != 0, 1))
        return size + (size_t)__builtin_ctzll(low);
    size_t from = size < 64 ? 64 : size;
    uint64_t high = index->some[1] >> from % 64;
    return high ? from + (size_t)__builtin_ctzll(high) : FIT_SIZES;
}

/* The smallest small size from `size` on that has a block, or FIT_SIZES. */
FIT_INLINE size_t fit_best_size(struct fit_best *index, size_t size)
{
    size = fit_best_some(index, size);
    while (size < FIT_SIZES && __builtin_expect(index->count[size] == 0, 0)) {
        index->some[size / 64] &= ~((uint64_t)1 << size % 64);
        size = fit_best_some(index, size);
    }
    return size;
}

/* The lowest slot of a small size that has a block. The byte at the bound is looked at by itself
 * first: it may just have been written, and a wide load would have to wait for it. */
FIT_INLINE size_t fit_best_lowest(struct fit_best *index, size_t size, unsigned pair)
{
    size_t lowest = index->lowest[size], group = lowest >> FIT_GROUP_LOG2;
    uint8_t want = fit_want(size, pair);
    if (__builtin_expect((index->map[lowest] & 0xfe) == want, 1))
        return lowest;
    uint64_t mask = fit_match_class(index->map + group * FIT_GROUP, want);
    size_t slot = __builtin_expect(mask != 0, 1) ? group * FIT_GROUP + (size_t)__builtin_ctzll(mask)
                                                 : fit_best_seek(index, size, pair, 0, group + 1);
    index->lowest[size] = (uint32_t)slot;
    return slot;
}

/* The smallest free block of at least `size` granules, the first among equals: its slot, or
 * FIT_NONE. */
FIT_INLINE size_t fit_best_find(struct fit_best *index, size_t size, unsigned pair)
{
    size_t found = size < fit_large(pair) ? fit_best_size(index, size) : FIT_SIZES;
    if (__builtin_expect(found < FIT_SIZES, 1))
        return fit_best_lowest(index, found, pair);
    size_t group = fit_best_find_large(index, size);
    return group == FIT_NONE ? FIT_NONE : fit_map_large_in(index->map, group);
}

#endif
