/* Where to begin a search: below a hint, no free block of its size or larger begins. */
#ifndef ALLOCATORS_SHM_HINT_H
#define ALLOCATORS_SHM_HINT_H

#include "allocators/shm/space.h"

/* hint[i]: no free block of at least hint_size(i) units begins in a group below it. What
 * holds for a size holds for larger ones, so hints never fall with i: an update ends at the first
 * that needs none. Sizes up to SPACE_HINTS_EXACT have one each, above there are two an octave. */
static inline uint64_t hint_size(unsigned i)
{
    if (i < SPACE_HINTS_EXACT)
        return i + 1;
    unsigned step = i - SPACE_HINTS_EXACT + 3;
    return (uint64_t)(SPACE_HINTS_EXACT / 2 + step % 2 * SPACE_HINTS_EXACT / 4) << step / 2;
}

/* The last hint whose size is at most `units`. */
static inline unsigned hint_of(uint64_t units)
{
    if (units <= SPACE_HINTS_EXACT)
        return (unsigned)units - 1;
    unsigned octave = 63 - (unsigned)__builtin_clzll(units);
    unsigned half = units >> (octave - 1) & 1;
    unsigned i = SPACE_HINTS_EXACT - 1 + 2 * (octave - SPACE_HINTS_EXACT_LOG2) + half;
    return i < SPACE_HINTS ? i : SPACE_HINTS - 1;
}

/* Nothing of `units` begins below `group`. */
static inline void hint_raise(struct space *space, uint64_t units, int32_t group)
{
    unsigned i = hint_of(units);
    i += hint_size(i) < units;
    for (; i < SPACE_HINTS && space->hint[i] < group; i++)
        space->hint[i] = group;
}

static inline void hint_lower(struct space *space, uint64_t units, int32_t group)
{
    for (unsigned i = hint_of(units) + 1; i > 0 && space->hint[i - 1] > group; i--)
        space->hint[i - 1] = group;
}

#endif
