/* The bits that are the truth about a space, and the summaries that find the start before and
 * after a unit. */
#ifndef ALLOCATORS_SHM_STARTS_H
#define ALLOCATORS_SHM_STARTS_H

#include "allocators/shm/space.h"

/* 64 units. Both words side by side: who looks at one looks at the other. */
struct starts_group {
    uint64_t start;
    uint64_t free; /* where no block starts, it means nothing */
};

static inline struct starts_group *starts_groups(const struct space *space)
{
    return (struct starts_group *)((uintptr_t)space + space->part_at[0]);
}

static inline uint64_t *starts_summary(const struct space *space, unsigned level)
{
    return (uint64_t *)((uintptr_t)space + space->part_at[1 + level]);
}

static inline uint64_t starts_bit(uint64_t place)
{
    return UINT64_C(1) << place % 64;
}

/* Release, so that the stores to the truth become visible one by one in the order written, however
 * far their process gets. */
static inline void starts_store(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline bool starts_is_start(const struct space *space, uint64_t at)
{
    return (starts_groups(space)[at / 64].start & starts_bit(at)) != 0;
}

static inline bool starts_is_free(const struct space *space, uint64_t at)
{
    return (starts_groups(space)[at / 64].free & starts_bit(at)) != 0;
}

static inline void starts_set_free(struct space *space, uint64_t at)
{
    uint64_t *word = &starts_groups(space)[at / 64].free;
    starts_store(word, *word | starts_bit(at));
}

static inline void starts_clear_free(struct space *space, uint64_t at)
{
    uint64_t *word = &starts_groups(space)[at / 64].free;
    starts_store(word, *word & ~starts_bit(at));
}

static inline void starts_note(struct space *space, uint64_t group)
{
    for (unsigned level = 0; level < SPACE_SUMMARIES; level++, group /= 64) {
        uint64_t *word = starts_summary(space, level) + group / 64;
        uint64_t before = *word;
        *word = before | starts_bit(group);
        if (before)
            return;
    }
}

static inline void starts_forget(struct space *space, uint64_t group)
{
    for (unsigned level = 0; level < SPACE_SUMMARIES; level++, group /= 64) {
        uint64_t *word = starts_summary(space, level) + group / 64;
        if (*word &= ~starts_bit(group))
            return;
    }
}

static inline void starts_set(struct space *space, uint64_t at)
{
    uint64_t *word = &starts_groups(space)[at / 64].start;
    uint64_t before = *word;
    starts_store(word, before | starts_bit(at));
    if (!before)
        starts_note(space, at / 64);
}

static inline void starts_clear(struct space *space, uint64_t at)
{
    uint64_t *word = &starts_groups(space)[at / 64].start;
    uint64_t after = *word & ~starts_bit(at);
    starts_store(word, after);
    if (!after)
        starts_forget(space, at / 64);
}

/* The first group after `group` in which a block starts; SPACE_NONE. */
uint64_t starts_group_after(const struct space *space, uint64_t group);
/* The last group before `group` in which a block starts; SPACE_NONE. */
uint64_t starts_group_before(const struct space *space, uint64_t group);

/* The next start after `at`; SPACE_NONE when `at` is the last. */
static inline uint64_t starts_after(const struct space *space, uint64_t at)
{
    const struct starts_group *groups = starts_groups(space);
    uint64_t group = at / 64;
    uint64_t later = groups[group].start >> at % 64 >> 1;
    if (later)
        return at + 1 + (unsigned)__builtin_ctzll(later);
    if (groups[group + 1].start)
        group++;
    else if ((group = starts_group_after(space, group + 1)) == SPACE_NONE)
        return SPACE_NONE;
    return group * 64 + (unsigned)__builtin_ctzll(groups[group].start);
}

/* The last start before `at`; SPACE_NONE when `at` is the first. */
static inline uint64_t starts_before(const struct space *space, uint64_t at)
{
    const struct starts_group *groups = starts_groups(space);
    uint64_t group = at / 64;
    uint64_t earlier = groups[group].start & (starts_bit(at) - 1);
    if (!earlier) {
        group = starts_group_before(space, group);
        if (group == SPACE_NONE)
            return SPACE_NONE;
        earlier = groups[group].start;
    }
    return group * 64 + 63 - (unsigned)__builtin_clzll(earlier);
}

/* A free block's size in units. Only the last block of a group can end outside of it. */
static inline uint64_t starts_free_size(const struct space *space, uint64_t at, uint64_t starts)
{
    uint64_t later = starts >> at % 64 >> 1;
    return later ? 1 + (unsigned)__builtin_ctzll(later) : starts_after(space, at) - at;
}

#endif
