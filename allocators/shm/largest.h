/* The largest free block of every group, and 16-ary maxima above: which group at or after a place
 * is the first that has a block of some size. Nodes are 16 numbers, one cache line.
 *
 * All numbers are exact but the maxima of the `stale` nodes of groups, which may be too high:
 * raised at once, a maximum is lowered only when another node wants to be stale, since calls come
 * back to the same few nodes, where it would mostly go down and up again. So a search is led astray
 * at most four times. */
#ifndef ALLOCATORS_SHM_LARGEST_H
#define ALLOCATORS_SHM_LARGEST_H

#include "allocators/shm/starts.h"

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

static inline int32_t largest_of_node(const int32_t *node)
{
    const __m128i *quarter = (const __m128i *)(const void *)node;
    __m128i most = largest_quarter_max(
        largest_quarter_max(_mm_load_si128(quarter), _mm_load_si128(quarter + 1)),
        largest_quarter_max(_mm_load_si128(quarter + 2), _mm_load_si128(quarter + 3)));
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
static inline int32_t largest_of_node(const int32_t *node)
{
    int32_t most = node[0];
    for (unsigned i = 1; i < LARGEST_FAN; i++)
        most = node[i] > most ? node[i] : most;
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

/* Makes the maximum of a node of groups exact, and with it those above. */
void largest_settle(struct space *space, uint64_t node);

/* What a group's number should be, from the bits. */
static inline int32_t largest_of_group(const struct space *space, uint64_t group)
{
    uint64_t starts = starts_groups(space)[group].start, most = 0;
    for (uint64_t left = starts_groups(space)[group].free; left; left &= left - 1) {
        uint64_t at = group * 64 + (unsigned)__builtin_ctzll(left);
        uint64_t size = starts_free_size(space, at, starts);
        most = size > most ? size : most;
    }
    return largest_number(most);
}

static inline void largest_raise(struct space *space, uint64_t group, int32_t value)
{
    for (unsigned level = 0; level < SPACE_LEVELS; level++, group >>= LARGEST_FAN_LOG2) {
        int32_t *number = largest_level(space, level) + group;
        if (*number >= value)
            return;
        *number = value;
    }
}

static inline void largest_lower(struct space *space, uint64_t group, int32_t value)
{
    int32_t node = (int32_t)(group >> LARGEST_FAN_LOG2);
    bool stale = false;
    largest_level(space, 0)[group] = value;
    for (unsigned i = 0; i < SPACE_STALE; i++)
        stale |= space->stale[i] == node;
    if (stale)
        return;
    int32_t *place = &space->stale[space->stale_next++ % SPACE_STALE];
    if (*place >= 0)
        largest_settle(space, (uint64_t)*place);
    *place = node;
}

/* The same for what follows the node of `from`. */
uint64_t largest_find_after(struct space *space, uint64_t from, int32_t least);

/* The first group at or after `from` whose largest block is at least `least`; SPACE_NONE. Every
 * level has a node of zeros behind its last, so that a step past the end finds nothing there. */
static inline uint64_t largest_find(struct space *space, uint64_t from, int32_t least)
{
    uint64_t first = from & ~(uint64_t)(LARGEST_FAN - 1);
    unsigned lanes = largest_at_least(largest_level(space, 0) + first, least);
    lanes &= ~0u << from % LARGEST_FAN;
    return lanes ? first + (unsigned)__builtin_ctz(lanes) : largest_find_after(space, from, least);
}

#endif
