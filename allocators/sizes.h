/* The holes of a map of segments by size and address: exact best fit, the lowest address among
 * equals.
 *
 * 1. Small sizes: for each size a tree of bitmaps ("a hole of this size may begin below here"), its
 *    leaves groups of two words of the map, with a count and a lower bound of the lowest place a
 *    size. Bits are set at once and cleared by the search that finds nothing under them.
 * 2. Large sizes: a digital search tree a power of two, keyed by size and then address, its nodes
 *    in a table with one entry a group of the map, as at most one large hole begins in a group
 *    (Knuth, The Art of Computer Programming 3, 6.3, algorithm D; the use for best fit is that of
 *    D. Lea's dlmalloc). Depth at most the bits of a key, whatever the calls. The smallest one
 *    stands outside: it is cut again and again while small sizes have nothing of their own.
 * Memory: 1.4 % of the heap. Positions and sizes in granules, below 2^32. */
#ifndef ALLOCATORS_SIZES_H
#define ALLOCATORS_SIZES_H

#include "allocators/granules.h"

enum { SIZES_SMALL = 128, SIZES_GROUP_LOG2 = 7, SIZES_LEVELS = 6, SIZES_BITS = 32 };

/* Bit i of may[s]: a block of size s may begin under the i-th child. */
struct sizes_node {
    uint64_t may[SIZES_SMALL];
};

/* Of the large block that begins in a group. Links are group + 1; 0 is none. */
struct sizes_large {
    uint32_t size;
    uint32_t child[2];
};

struct sizes {
    struct sizes_node *level[SIZES_LEVELS]; /* children of level 0 are groups */
    unsigned height;                        /* the level that is one node */
    size_t last_group;
    uint64_t some[SIZES_SMALL / 64]; /* bit s: count[s] may be above 0, else it is not */
    uint32_t count[SIZES_SMALL];     /* [0] counts for nothing */
    uint32_t lowest[SIZES_SMALL];    /* no hole of the size begins before that */
    uint32_t least_size;             /* of the smallest large block; 0: it may be in the tree */
    uint32_t least_group;
    uint32_t floor; /* least_size being 0: all in the tree are at least so large */
    struct sizes_large *node;
    uint64_t roots; /* bit i: root[i] is set */
    uint32_t root[SIZES_BITS];
    unsigned group_bits;
};

/* Bytes in a store for positions below `count`. */
size_t sizes_bytes(size_t count);

/* An empty index for positions below `count`; reach comes before the first use. */
void sizes_init(struct sizes *index, size_t count, struct fit_store *store);

/* Makes positions up to `last` usable: 0 or -ENOMEM. */
int sizes_reach(struct sizes *index, size_t last, struct fit_store *store);

/* Gives the memory for positions behind `last` back; no hole is there. */
void sizes_retreat(struct sizes *index, size_t last, struct fit_store *store);

void sizes_insert_large(struct sizes *index, size_t group, size_t size);
void sizes_remove_large(struct sizes *index, size_t group, size_t size);

/* The smallest hole of `size` granules or more, of sizes that are not small; or FIT_NONE. */
size_t sizes_find_large(struct sizes *index, const struct granules *map, size_t size);

/* The lowest hole of a small size from child `i` of `level` on, or FIT_NONE. */
size_t sizes_seek(struct sizes *index, const struct granules *map, size_t size, unsigned level,
                  size_t i);

/* Whether the index says of a hole what is true, as far as it says anything. */
bool sizes_knows(const struct sizes *index, size_t position, size_t size);

/* Sets the bits that tell of a hole in `group`. */
FIT_INLINE void sizes_raise(struct sizes *index, size_t size, size_t group)
{
    for (unsigned level = 0; level <= index->height; level++) {
        uint64_t *may = &index->level[level][group >> 6].may[size];
        uint64_t bit = (uint64_t)1 << group % 64;
        if (__builtin_expect((*may & bit) != 0, 1))
            return;
        *may |= bit;
        group >>= 6;
    }
}

FIT_INLINE void sizes_insert(struct sizes *index, size_t position, size_t size)
{
    if (__builtin_expect(size >= SIZES_SMALL, 0)) {
        sizes_insert_large(index, position >> SIZES_GROUP_LOG2, size);
        return;
    }
    /* Of a size without holes the bound that is left over says nothing. */
    uint32_t bound = index->lowest[size] | -(uint32_t)(index->count[size]++ == 0);
    index->lowest[size] = position < bound ? (uint32_t)position : bound;
    index->some[size / 64] |= (uint64_t)1 << size % 64;
    sizes_raise(index, size, position >> SIZES_GROUP_LOG2);
}

/* A hole that is there; size 0: nothing, without a branch. */
FIT_INLINE void sizes_remove(struct sizes *index, size_t position, size_t size)
{
    if (__builtin_expect(size >= SIZES_SMALL, 0))
        sizes_remove_large(index, position >> SIZES_GROUP_LOG2, size);
    else
        index->count[size]--;
}

/* The smallest size from `size` on that `some` tells of, or SIZES_SMALL. */
FIT_INLINE size_t sizes_some(const struct sizes *index, size_t size)
{
    uint64_t low = size < 64 ? index->some[0] >> size : 0;
    if (__builtin_expect(low != 0, 1))
        return size + (size_t)__builtin_ctzll(low);
    size_t from = size < 64 ? 64 : size;
    uint64_t high = index->some[1] >> from % 64;
    return high ? from + (size_t)__builtin_ctzll(high) : SIZES_SMALL;
}

/* The smallest small size from `size` on that has a hole, or SIZES_SMALL. */
FIT_INLINE size_t sizes_small(struct sizes *index, size_t size)
{
    size = sizes_some(index, size);
    while (size < SIZES_SMALL && __builtin_expect(index->count[size] == 0, 0)) {
        index->some[size / 64] &= ~((uint64_t)1 << size % 64);
        size = sizes_some(index, size);
    }
    return size;
}

/* Bit i: a segment begins `size` granules behind granule i of the word. */
FIT_INLINE uint64_t sizes_starts_behind(const struct granules_word *word, size_t size)
{
    word += size / 64;
    return word[0].starts >> size % 64 | word[1].starts << 1 << (63 - size % 64);
}

/* The lowest hole of exactly that small size in a group, or FIT_NONE. */
FIT_INLINE size_t sizes_hole_in(const struct granules *map, size_t group, size_t size)
{
    for (size_t word = 2 * group; word < 2 * group + 2; word++) {
        uint64_t holes = granules_holes(map, word);
        for (holes &= sizes_starts_behind(granules_word(map, word), size); holes;
             holes &= holes - 1) {
            size_t position = word * 64 + (size_t)__builtin_ctzll(holes);
            if (__builtin_expect(granules_size(map, position) == size, 1))
                return position;
        }
    }
    return FIT_NONE;
}

/* Whether a hole of exactly that size begins there. */
FIT_INLINE bool sizes_is_hole(const struct granules *map, size_t position, size_t size)
{
    uint64_t holes = granules_holes(map, position / 64);
    return (holes >> position % 64 & 1) && granules_size(map, position) == size;
}

/* The lowest hole of a small size that has one. */
FIT_INLINE size_t sizes_lowest(struct sizes *index, const struct granules *map, size_t size)
{
    size_t lowest = index->lowest[size], group = lowest >> SIZES_GROUP_LOG2;
    if (sizes_is_hole(map, lowest, size))
        return lowest;
    size_t position = sizes_hole_in(map, group, size);
    if (__builtin_expect(position == FIT_NONE, 0))
        position = sizes_seek(index, map, size, 0, group + 1);
    index->lowest[size] = (uint32_t)position;
    return position;
}

/* The smallest hole of at least `size` granules, the first among equals, or FIT_NONE. */
FIT_INLINE size_t sizes_find(struct sizes *index, const struct granules *map, size_t size)
{
    size_t found = size < SIZES_SMALL ? sizes_small(index, size) : SIZES_SMALL;
    if (__builtin_expect(found < SIZES_SMALL, 1))
        return sizes_lowest(index, map, found);
    return sizes_find_large(index, map, size);
}

#endif
