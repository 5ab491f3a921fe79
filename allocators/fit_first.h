/* An index of free blocks by address: exact first fit, first fit from a place on, and worst fit.
 *
 * 1. Small sizes: a tree of maxima over the byte map; hints say for 32 sizes below which group no
 *    block of that size is, so that a search mostly begins in the group where it ends, and cursors
 *    the exact place for the last sizes searched.
 * 2. Large sizes: a tree of maxima over exact 32-bit sizes, one a group of the map, as at most one
 *    large block begins in a group.
 * 3. Both trees are corrected lazily (fit_tree.h): O(log n) a call, amortised, whatever the calls.
 * Memory: 1/32 (pair) or 1/16 of the granules' 16 bytes for the map, an eighth of that for sizes.
 *
 * Positions and sizes in granules; `pair` as in fit_map.h, a constant of the caller. Positions stay
 * below 2^31, sizes too. Nothing here points into the heap. */
#ifndef ALLOCATORS_FIT_FIRST_H
#define ALLOCATORS_FIT_FIRST_H

#include "allocators/fit_tree.h"

enum { FIT_HINTS = 32, FIT_HINT_NONE = INT16_MAX, FIT_CURSORS = 4 };

struct fit_first {
    struct fit_tree small; /* level 0 is the map */
    struct fit_tree large;
    _Alignas(16) int16_t hint[FIT_HINTS]; /* in groups >> hint_shift; FIT_HINT_NONE: nowhere */
    int16_t ramp[2 * FIT_HINTS]; /* FIT_HINTS of 0, then as many of INT16_MAX: masks for min */
    unsigned hint_shift;
    /* Exact places, for four bands of small sizes: no block of cursor_size or more lies below. */
    _Alignas(16) int32_t cursor[FIT_CURSORS];
    int32_t cursor_size[FIT_CURSORS];
    uint8_t band[FIT_LARGE + 1];
    uint8_t below[FIT_LARGE + 1]; /* of a size: the last hint of a size not above it */
    uint8_t above[FIT_LARGE + 1]; /* the first of a size not below it */
};

/* Bytes in a store for positions below `granules`. */
size_t fit_first_bytes(size_t granules, unsigned pair);

/* An empty index for positions below `granules`; reach comes before the first use. */
void fit_first_init(struct fit_first *index, size_t granules, unsigned pair,
                    struct fit_store *store);

/* Makes positions up to `last` usable: 0 or -ENOMEM. */
int fit_first_reach(struct fit_first *index, size_t last, unsigned pair, struct fit_store *store);

FIT_INLINE uint8_t *fit_first_map(const struct fit_first *index)
{
    return index->small.level[0];
}

/* Hints of sizes up to `size` are not above `slot` any more. Hints never fall from one size to a
 * larger one, so that often the last of them tells that nothing is to be done. */
FIT_INLINE void fit_first_lower_hints(struct fit_first *index, size_t slot, size_t size)
{
    size_t class = size <= FIT_LARGE ? size : FIT_LARGE;
    int16_t place = (int16_t)(slot >> (FIT_GROUP_LOG2 + index->hint_shift));
    if (index->hint[index->below[class]] <= place)
        return;
    const int16_t *spare = index->ramp + FIT_HINTS - 1 - index->below[class];
#ifdef __SSE2__
    __m128i low = _mm_set1_epi16(place);
#pragma GCC unroll 4
    for (int i = 0; i < FIT_HINTS; i += 8) {
        __m128i *hints = (__m128i *)(void *)(index->hint + i);
        __m128i mask = _mm_loadu_si128((const __m128i *)(const void *)(spare + i));
        _mm_store_si128(hints, _mm_min_epi16(_mm_load_si128(hints), _mm_or_si128(low, mask)));
    }
#else
    for (int i = 0; i < FIT_HINTS; i++) {
        int16_t low = (int16_t)(place | spare[i]);
        index->hint[i] = low < index->hint[i] ? low : index->hint[i];
    }
#endif
}

/* No cursor stays above a block that it should have stopped at. */
FIT_INLINE void fit_first_lower_cursors(struct fit_first *index, size_t slot, size_t size)
{
#ifdef __SSE2__
    __m128i *cursors = (__m128i *)(void *)index->cursor;
    __m128i at = _mm_load_si128(cursors), size_at = _mm_load_si128(cursors + 1);
    __m128i low = _mm_set1_epi32((int32_t)slot), least = _mm_set1_epi32((int32_t)size);
    __m128i stay = _mm_or_si128(_mm_cmpgt_epi32(size_at, least), _mm_cmpgt_epi32(low, at));
    _mm_store_si128(cursors, _mm_or_si128(_mm_and_si128(stay, at), _mm_andnot_si128(stay, low)));
#else
    for (int i = 0; i < FIT_CURSORS; i++)
        if ((int32_t)size >= index->cursor_size[i] && (int32_t)slot < index->cursor[i])
            index->cursor[i] = (int32_t)slot;
#endif
}

/* Nothing of `size` or more lies below `slot`; FIT_NONE: nor anywhere. */
FIT_INLINE void fit_first_raise_hints(struct fit_first *index, size_t slot, size_t size)
{
    size_t group = slot >> (FIT_GROUP_LOG2 + index->hint_shift);
    int16_t place = slot == FIT_NONE ? FIT_HINT_NONE : (int16_t)group;
    const int16_t *spare = index->ramp + FIT_HINTS - index->above[size];
#ifdef __SSE2__
    __m128i high = _mm_set1_epi16(place);
#pragma GCC unroll 4
    for (int i = 0; i < FIT_HINTS; i += 8) {
        __m128i *hints = (__m128i *)(void *)(index->hint + i);
        __m128i mask = _mm_loadu_si128((const __m128i *)(const void *)(spare + i));
        _mm_store_si128(hints, _mm_max_epi16(_mm_load_si128(hints), _mm_and_si128(high, mask)));
    }
#else
    for (int i = 0; i < FIT_HINTS; i++) {
        int16_t high = (int16_t)(place & spare[i]);
        index->hint[i] = high > index->hint[i] ? high : index->hint[i];
    }
#endif
}

/* A free block is there now; size 0 (`leftover` only): no free block begins there, without a
 * branch. `leftover`: what is left of a free block whose front was taken; no hint needs to fall. */
FIT_INLINE void fit_first_insert(struct fit_first *index, size_t position, size_t size,
                                 bool leftover, unsigned pair)
{
    size_t slot = position >> pair;
    uint8_t code = fit_code(position, size, pair);
    fit_first_map(index)[slot] = code;
    fit_tree_raise(&index->small, false, slot, code);
    if (!leftover) {
        fit_first_lower_cursors(index, slot, size);
        fit_first_lower_hints(index, slot, size);
    }
    if (__builtin_expect(size >= fit_large(pair), 0)) {
        ((uint32_t *)index->large.level[0])[slot >> FIT_GROUP_LOG2] = (uint32_t)size;
        fit_tree_raise(&index->large, true, slot >> FIT_GROUP_LOG2, (uint32_t)size);
    }
}

/* The free block there is gone; size 0: `position` is where no free block begins. */
FIT_INLINE void fit_first_remove(struct fit_first *index, size_t position, size_t size,
                                 unsigned pair)
{
    size_t slot = position >> pair;
    fit_first_map(index)[slot] = 0;
    if (__builtin_expect(size >= fit_large(pair), 0))
        ((uint32_t *)index->large.level[0])[slot >> FIT_GROUP_LOG2] = 0;
}

/* The slot of the first free block of at least `size` granules, or FIT_NONE;
 * size >= fit_large(pair). */
FIT_INLINE size_t fit_first_find_large(struct fit_first *index, size_t size)
{
    size_t group = fit_tree_first(&index->large, true, (uint32_t)size);
    return group == FIT_NONE ? FIT_NONE : fit_map_large_in(fit_first_map(index), group);
}

/* The slot of the first free block of at least `size` granules, or FIT_NONE;
 * size < fit_large(pair). */
FIT_INLINE size_t fit_first_find_small(struct fit_first *index, size_t size, unsigned pair)
{
    uint8_t *map = fit_first_map(index), want = fit_want(size, pair), band = index->band[size];
    size_t cursor = (size_t)index->cursor[band];
    if ((int32_t)size >= index->cursor_size[band] && map[cursor] >= want)
        return cursor;
    int16_t hint = index->hint[index->below[size]];
    if (hint == FIT_HINT_NONE)
        return FIT_NONE;
    size_t group = (size_t)hint << index->hint_shift, slot;
    uint64_t mask = fit_match_least(map + group * FIT_GROUP, want);
    if (__builtin_expect(mask != 0, 1)) {
        slot = group * FIT_GROUP + (size_t)__builtin_ctzll(mask);
    } else {
        slot = fit_tree_seek(&index->small, false, 1, group + 1, want);
        fit_first_raise_hints(index, slot, size);
        if (slot == FIT_NONE)
            return FIT_NONE;
    }
    index->cursor[band] = (int32_t)slot;
    index->cursor_size[band] = (int32_t)size;
    return slot;
}

/* The first free block of at least `size` granules: its slot, or FIT_NONE. */
FIT_INLINE size_t fit_first_find(struct fit_first *index, size_t size, unsigned pair)
{
    return size < fit_large(pair) ? fit_first_find_small(index, size, pair)
                                  : fit_first_find_large(index, size);
}

/* The first free block of at least `size` granules that begins at or after `from`: its slot, or
 * FIT_NONE. */
size_t fit_first_find_from(struct fit_first *index, size_t size, size_t from, unsigned pair);

/* The largest free block, the first among equals, if it has `size` granules or more: its slot, or
 * FIT_NONE. */
size_t fit_first_find_worst(struct fit_first *index, size_t size, unsigned pair);

#endif
