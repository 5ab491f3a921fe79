/* The way over the summaries, for neighbours further than the next word. */
#include "allocators/shm/starts.h"

uint64_t starts_group_after(const struct space *space, uint64_t group)
{
    unsigned level = 0;
    uint64_t later;
    for (;; level++, group /= 64) {
        later = starts_summary(space, level)[group / 64] >> group % 64 >> 1;
        if (later)
            break;
        if (level + 1 == SPACE_SUMMARIES)
            return SPACE_NONE;
    }
    group += 1 + (unsigned)__builtin_ctzll(later);
    while (level-- > 0)
        group = group * 64 + (unsigned)__builtin_ctzll(starts_summary(space, level)[group]);
    return group;
}

uint64_t starts_group_before(const struct space *space, uint64_t group)
{
    unsigned level = 0;
    uint64_t earlier;
    for (;; level++, group /= 64) {
        earlier = starts_summary(space, level)[group / 64] & (starts_bit(group) - 1);
        if (earlier)
            break;
        if (level + 1 == SPACE_SUMMARIES)
            return SPACE_NONE;
    }
    group = (group & ~UINT64_C(63)) + 63 - (unsigned)__builtin_clzll(earlier);
    while (level-- > 0)
        group = group * 64 + 63 - (unsigned)__builtin_clzll(starts_summary(space, level)[group]);
    return group;
}
