/* Whether everything derived agrees with the bits. */
#include "allocators/shm/hint.h"
#include "allocators/shm/largest.h"

static const char *space_blocks_flaw(const struct space *space)
{
    uint64_t live_blocks = 0, live_units = 0;
    bool was_free = false, is_free = false;
    struct space_block block = {space->first, 0};
    if (!starts_is_start(space, space->first) || !starts_is_start(space, space->top) ||
        space->top > space->units || space->units > space->capacity)
        return "the first or the last block is out of place";
    while ((block = space_next(space, block, &is_free)).at != SPACE_NONE) {
        if (block.units > space->units - block.at)
            return "a block runs beyond the end";
        if (is_free && was_free)
            return "free neighbours are not joined";
        was_free = is_free;
        live_blocks += !is_free;
        live_units += is_free ? 0 : block.units;
    }
    if (live_blocks != space->live_blocks || live_units != space->live_units)
        return "the count of live blocks is wrong";
    return NULL;
}

static bool space_summaries_agree(const struct space *space)
{
    const struct starts_group *groups = starts_groups(space);
    for (uint64_t group = 0; group <= space->units / 64; group++) {
        bool below = groups[group].start != 0;
        uint64_t place = group;
        for (unsigned level = 0; level < SPACE_SUMMARIES; level++, place /= 64) {
            uint64_t word = starts_summary(space, level)[place / 64];
            if (((word & starts_bit(place)) != 0) != below)
                return false;
            below = word != 0;
        }
    }
    return true;
}

static bool space_is_stale(const struct space *space, uint64_t node)
{
    for (unsigned i = 0; i < SPACE_STALE; i++)
        if (space->stale[i] == (int32_t)node)
            return true;
    return false;
}

static bool space_maxima_agree(const struct space *space)
{
    for (unsigned level = 0; level + 1 < SPACE_LEVELS; level++) {
        const int32_t *below = largest_level(space, level),
                      *above = largest_level(space, level + 1);
        uint64_t nodes = (space->units >> (6 + LARGEST_FAN_LOG2 * (level + 1))) + 1;
        for (uint64_t node = 0; node < nodes; node++) {
            int32_t most = largest_of_node(below + node * LARGEST_FAN);
            if (above[node] != most &&
                (above[node] < most || level > 0 || !space_is_stale(space, node)))
                return false;
        }
    }
    return true;
}

static bool space_hints_agree(const struct space *space)
{
    uint64_t group = 0;
    for (unsigned i = 0; i < SPACE_HINTS; i++)
        for (; group < (uint64_t)space->hint[i]; group++)
            if (largest_get(space, group) >= largest_number(hint_size(i)))
                return false;
    return true;
}

const char *space_flaw(const struct space *space)
{
    const char *flaw = space_blocks_flaw(space);
    if (flaw)
        return flaw;
    if (!space_summaries_agree(space))
        return "a summary of the starts disagrees with them";
    const struct starts_group *groups = starts_groups(space);
    for (uint64_t group = 0; group <= space->units / 64; group++) {
        if (groups[group].free & ~groups[group].start)
            return "a free bit stands where no block starts";
        if (largest_get(space, group) != largest_of_group(space, group))
            return "a group's largest free block is noted wrong";
    }
    if (!space_maxima_agree(space))
        return "a maximum disagrees with what it is the maximum of";
    if (!space_hints_agree(space))
        return "a hint skips a free block";
    return NULL;
}
