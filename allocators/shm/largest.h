/* The largest free block of every group, and 16-ary maxima above: which group at or after a place
 * is the first that has a block of some size. Nodes are 16 numbers, one cache line. */
#ifndef ALLOCATORS_SHM_LARGEST_H
#define ALLOCATORS_SHM_LARGEST_H

#include "allocators/shm/space.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { LARGEST_FAN = 16, LARGEST_FAN_LOG2 = 4 };

/* Sizes from here on are one: the group's blocks are then looked at. */
#define LARGEST_MANY INT32_MAX

static inline int32_t largest_number(uint64_t units)
{
    return units < (uint64_t)LARGEST_MANY ? (int32_t)units : LARGEST_MANY;
}

static inline int32_t *largest_level(const struct space *space, unsigned level)
{
    return (int32_t *)((uintptr_t)space + space->part_at[1 + SPACE_SUMMARIES + level]);
}

#ifdef __SSE2__
static inline __m128i largest_quarter_max(__m128i a, __m128i b)
{
    __m128i greater = _mm_cmpgt_epi32(a, b);
    return _mm_or_si128(_mm_and_si128(greater, a), _mm_andnot_si128(greater, b));
}

/* Four numbers, the one at `place` replaced (by none of them, if it is not among these four). */
static inline __m128i largest_quarter(const int32_t *numbers, int first, __m128i place,
                                      __m128i value)
{
    __m128i here = _mm_cmpeq_epi32(_mm_setr_epi32(first, first + 1, first + 2, first + 3), place);
    __m128i there = _mm_load_si128((const __m128i *)(const void *)(numbers + first));
    return _mm_or_si128(_mm_and_si128(here, value), _mm_andnot_si128(here, there));
}

/* The largest of a node in which the number at `place` is `value`. It is not stored first: a load
 * of 16 bytes that were just written in part waits for the store. */
static inline int32_t largest_of_node(const int32_t *node, unsigned place, int32_t value)
{
    __m128i where = _mm_set1_epi32((int)place), what = _mm_set1_epi32(value);
    __m128i most = largest_quarter_max(largest_quarter_max(largest_quarter(node, 0, where, what),
                                                           largest_quarter(node, 4, where, what)),
                                       largest_quarter_max(largest_quarter(node, 8, where, what),
                                                           largest_quarter(node, 12, where, what)));
    most = largest_quarter_max(most, _mm_shuffle_epi32(most, 0x4e));
    return _mm_cvtsi128_si32(largest_quarter_max(most, _mm_shuffle_epi32(most, 0xb1)));
}

/* One bit a number of the node that is at least `least`. */
static inline unsigned largest_at_least(const int32_t *node, int32_t least)
{
    const __m128i *quarter = (const __m128i *)(const void *)node;
    __m128i below = _mm_set1_epi32(least - 1);
    __m128i low = _mm_packs_epi32(_mm_cmpgt_epi32(_mm_load_si128(quarter), below),
                                  _mm_cmpgt_epi32(_mm_load_si128(quarter + 1), below));
    __m128i high = _mm_packs_epi32(_mm_cmpgt_epi32(_mm_load_si128(quarter + 2), below),
                                   _mm_cmpgt_epi32(_mm_load_si128(quarter + 3), below));
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}
#else
static inline int32_t largest_of_node(const int32_t *node, unsigned place, int32_t value)
{
    int32_t most = value;
    for (unsigned i = 0; i < LARGEST_FAN; i++)
        most = i != place && node[i] > most ? node[i] : most;
    return most;
}

static inline unsigned largest_at_least(const int32_t *node, int32_t least)
{
    unsigned lanes = 0;
    for (unsigned i = 0; i < LARGEST_FAN; i++)
        lanes |= (unsigned)(node[i] >= least) << i;
    return lanes;
}
#endif

static inline int32_t largest_get(const struct space *space, uint64_t group)
{
    return largest_level(space, 0)[group];
}

static inline void largest_set(struct space *space, uint64_t group, int32_t value)
{
    for (unsigned level = 0;; level++, group >>= LARGEST_FAN_LOG2) {
        int32_t *number = largest_level(space, level) + group;
        int32_t before = *number;
        if (before == value)
            return;
        if (level + 1 == SPACE_LEVELS) {
            *number = value;
            return;
        }
        int32_t above = largest_level(space, level + 1)[group >> LARGEST_FAN_LOG2];
        int32_t most = value;
        if (value < above && before == above)
            most = largest_of_node(number - group % LARGEST_FAN, group % LARGEST_FAN, value);
        *number = value;
        if (value < above && before < above)
            return;
        value = most;
    }
}

/* The first group at or after `from` whose largest block is at least `least`; SPACE_NONE. Every
 * level has a node of zeros behind its last, so that a step past the end finds nothing there. */
static inline uint64_t largest_find(const struct space *space, uint64_t from, int32_t least)
{
    unsigned level = 0;
    unsigned lanes;
    for (;; level++) {
        const int32_t *node = largest_level(space, level) + (from & ~(uint64_t)(LARGEST_FAN - 1));
        lanes = largest_at_least(node, least) & (~0u << from % LARGEST_FAN);
        if (lanes)
            break;
        if (level + 1 == SPACE_LEVELS)
            return SPACE_NONE;
        from = (from >> LARGEST_FAN_LOG2) + 1;
    }
    for (;; level--) {
        from = (from & ~(uint64_t)(LARGEST_FAN - 1)) + (unsigned)__builtin_ctz(lanes);
        if (level == 0)
            return from;
        from <<= LARGEST_FAN_LOG2;
        lanes = largest_at_least(largest_level(space, level - 1) + from, least);
    }
}

#endif
