/* A count that rises and falls, and what it was when another, which all such counts share, was at
 * its peak: kept along the way, without looking at every count at every peak. */
#ifndef WORKLOADS_LEVEL_H
#define WORKLOADS_LEVEL_H

#include <stdint.h>

struct level {
    uint64_t now;
    uint64_t kept; /* as it was at the peak of that number */
    uint64_t peak;
};

/* `peaks` are those there were so far, each higher than the one before. */
static inline void level_add(struct level *level, uint64_t peaks, uint64_t by)
{
    if (level->peak != peaks) {
        level->kept = level->now;
        level->peak = peaks;
    }
    level->now += by;
}

static inline uint64_t level_at_peak(const struct level *level, uint64_t peaks)
{
    return level->peak == peaks ? level->kept : level->now;
}

#endif
