/* First fit over units: the operations, each written as the stores that change the truth (the
 * comments say which one commits) and then what is derived from it. */
#include "allocators/shm/space.h"

#include <string.h>

#include "allocators/shm/hint.h"
#include "allocators/shm/largest.h"
#include "allocators/shm/starts.h"

enum { SPACE_PAGE = 4096, SPACE_LINE = 64 };

/* ---- layout ---------------------------------------------------------------------------------- */

size_t space_part_bytes(unsigned part, uint64_t units)
{
    /* The room behind the last entry is for the start bit at `units` itself and for the node of
     * zeros behind the maxima. */
    const uint64_t behind = 2 * LARGEST_FAN;
    if (part == 0)
        return ((units >> 6) + behind) * sizeof(struct starts_group);
    if (part <= SPACE_SUMMARIES)
        return ((units >> (6 + 6 * part)) + behind) * sizeof(uint64_t);
    unsigned level = part - 1 - SPACE_SUMMARIES;
    uint64_t entries = (units >> (6 + LARGEST_FAN_LOG2 * level)) + behind;
    return (entries & ~(uint64_t)(LARGEST_FAN - 1)) * sizeof(int32_t);
}

static size_t space_round(size_t bytes, size_t multiple)
{
    return (bytes + multiple - 1) / multiple * multiple;
}

/* Places the parts that are small, or those that are not. */
static size_t space_place(struct space *space, bool small, size_t end)
{
    for (unsigned part = 0; part < SPACE_PARTS; part++) {
        size_t bytes = space_part_bytes(part, space->capacity);
        if ((bytes <= SPACE_PAGE) != small)
            continue;
        end = space_round(end, small ? SPACE_LINE : SPACE_PAGE);
        space->part_at[part] = end;
        end += bytes;
    }
    return end;
}

size_t space_layout(struct space *space, uint64_t capacity, size_t begin)
{
    space->capacity = capacity;
    space->head_bytes = space_place(space, true, begin);
    return space_place(space, false, space->head_bytes);
}

/* ---- the index of free blocks ---------------------------------------------------------------- */

/* The first fit, and the largest of the other free blocks that begin in its group. */
struct space_fit {
    struct space_block block;
    uint64_t others;
};

static struct space_fit space_group_fit(const struct space *space, uint64_t group, uint64_t units)
{
    struct space_fit fit = {{SPACE_NONE, 0}, 0};
    uint64_t starts = starts_groups(space)[group].start;
    for (uint64_t left = starts_groups(space)[group].free; left; left &= left - 1) {
        uint64_t at = group * 64 + (unsigned)__builtin_ctzll(left);
        uint64_t size = starts_free_size(space, at, starts);
        if (size >= units && fit.block.at == SPACE_NONE)
            fit.block = (struct space_block){at, size};
        else
            fit.others = size > fit.others ? size : fit.others;
    }
    return fit;
}

static void space_index(struct space *space, uint64_t at, uint64_t units)
{
    largest_raise(space, at / 64, largest_number(units));
    hint_lower(space, units, (int32_t)(at / 64));
}

/* A block of `units` is gone from the group. */
static void space_unindex(struct space *space, uint64_t group, uint64_t units)
{
    if (largest_get(space, group) <= largest_number(units))
        largest_lower(space, group, largest_of_group(space, group));
}

static struct space_fit space_find(struct space *space, uint64_t units)
{
    int32_t size = largest_number(units);
    uint64_t group = largest_find(space, (uint64_t)space->hint[hint_of(units)], size);
    while (group != SPACE_NONE) {
        struct space_fit fit = space_group_fit(space, group, units);
        if (fit.block.at != SPACE_NONE) {
            hint_raise(space, units, (int32_t)group);
            return fit;
        }
        group = largest_find(space, group + 1, size); /* only sizes of LARGEST_MANY can deceive */
    }
    /* From where the top begins, so that a hint is never beyond the last level's nodes. */
    hint_raise(space, units, (int32_t)(space->top / 64));
    return (struct space_fit){{SPACE_NONE, 0}, 0};
}

/* ---- operations ------------------------------------------------------------------------------ */

/* Nothing is known of where what fits begins, nor to be settled. */
static void space_reset_ways(struct space *space)
{
    memset(space->hint, 0, sizeof space->hint);
    memset(space->stale, 0xff, sizeof space->stale);
    space->stale_next = 0;
}

void space_init(struct space *space, uint64_t first, uint64_t units)
{
    space->units = units;
    space->first = first;
    space->top = first;
    space->fresh = first;
    space->live_blocks = 0;
    space->live_units = 0;
    space_reset_ways(space);
    starts_set(space, first);
}

static void space_note_fresh(struct space *space)
{
    if (space->top > space->fresh)
        space->fresh = space->top;
}

static uint64_t space_take_top(struct space *space, uint64_t units)
{
    uint64_t at = space->top;
    if (units > space->units - at)
        return SPACE_NONE;
    starts_set(space, at + units); /* commits */
    space->top = at + units;
    space_note_fresh(space);
    return at;
}

static void space_take_hole(struct space *space, const struct space_fit *fit, uint64_t units)
{
    uint64_t at = fit->block.at, rest = at + units, rest_units = fit->block.units - units;
    uint64_t most = fit->others;
    if (rest_units) {
        starts_set_free(space, rest);
        starts_set(space, rest);
    }
    starts_clear_free(space, at); /* commits */
    if (rest_units && rest / 64 != at / 64)
        space_index(space, rest, rest_units);
    else if (rest_units > most)
        most = rest_units;
    if (largest_get(space, at / 64) != largest_number(most))
        largest_lower(space, at / 64, largest_number(most));
}

uint64_t space_alloc(struct space *space, uint64_t units)
{
    struct space_fit fit = space_find(space, units);
    uint64_t at = fit.block.at;
    if (at != SPACE_NONE)
        space_take_hole(space, &fit, units);
    else
        at = space_take_top(space, units);
    if (at == SPACE_NONE)
        return SPACE_NONE;
    space->live_blocks++;
    space->live_units += units;
    return at;
}

/* `at` ends where the top begins. */
static void space_free_into_top(struct space *space, uint64_t at, uint64_t before)
{
    starts_clear(space, space->top); /* commits: the last block is the top */
    space->top = at;
    if (before == SPACE_NONE)
        return;
    uint64_t units = at - before;
    starts_clear(space, at);
    starts_clear_free(space, before);
    space->top = before;
    space_unindex(space, before / 64, units);
}

void space_free(struct space *space, uint64_t at)
{
    uint64_t end = starts_after(space, at);
    uint64_t before = starts_before(space, at);
    if (before != SPACE_NONE && !starts_is_free(space, before))
        before = SPACE_NONE;
    space->live_blocks--;
    space->live_units -= end - at;
    if (end == space->top) {
        space_free_into_top(space, at, before);
        return;
    }
    uint64_t next_end = starts_is_free(space, end) ? starts_after(space, end) : end;
    uint64_t joined = before == SPACE_NONE ? at : before;
    if (before == SPACE_NONE)
        starts_set_free(space, at); /* commits */
    else
        starts_clear(space, at); /* commits */
    if (next_end != end) {
        starts_clear(space, end);
        starts_clear_free(space, end);
        if (end / 64 != joined / 64)
            space_unindex(space, end / 64, next_end - end);
    }
    space_index(space, joined, next_end - joined);
}

void space_cut(struct space *space, uint64_t cut)
{
    starts_set(space, cut); /* commits */
    space->live_blocks++;
}

static bool space_widen_into_top(struct space *space, uint64_t at, uint64_t units)
{
    uint64_t top = space->top;
    if (units > space->units - at)
        return false;
    starts_set_free(space, top);
    starts_set(space, at + units);
    starts_clear(space, top); /* commits */
    starts_clear_free(space, top);
    space->live_units += at + units - top;
    space->top = at + units;
    space_note_fresh(space);
    return true;
}

bool space_widen(struct space *space, uint64_t at, uint64_t units)
{
    uint64_t end = starts_after(space, at);
    uint64_t rest = at + units;
    if (end == space->top)
        return space_widen_into_top(space, at, units);
    if (!starts_is_free(space, end))
        return false;
    uint64_t next_end = starts_after(space, end);
    if (rest > next_end)
        return false;
    if (rest < next_end) {
        starts_set_free(space, rest);
        starts_set(space, rest);
    }
    starts_clear(space, end); /* commits */
    starts_clear_free(space, end);
    space->live_units += rest - end;
    space_unindex(space, end / 64, next_end - end);
    if (rest < next_end && rest / 64 != end / 64)
        space_index(space, rest, next_end - rest);
    return true;
}

void space_extend(struct space *space, uint64_t units)
{
    starts_store(&space->units, units); /* commits: only the top is longer */
}

bool space_is_live(const struct space *space, uint64_t at)
{
    return at >= space->first && at < space->top && starts_is_start(space, at) &&
           !starts_is_free(space, at);
}

bool space_is_last(const struct space *space, uint64_t at)
{
    return starts_after(space, at) == space->top;
}

uint64_t space_size(const struct space *space, uint64_t at)
{
    return starts_after(space, at) - at;
}

/* ---- repair and walk ------------------------------------------------------------------------- */

static void space_derive_summaries(struct space *space)
{
    struct starts_group *groups = starts_groups(space);
    for (unsigned level = 0; level < SPACE_SUMMARIES; level++)
        memset(starts_summary(space, level), 0, space_part_bytes(1 + level, space->units));
    for (uint64_t group = 0; group <= space->units / 64; group++)
        if (groups[group].start)
            starts_note(space, group);
}

/* Joins free neighbours, drops `free` bits that no start carries, counts. */
static void space_join_all(struct space *space)
{
    struct starts_group *groups = starts_groups(space);
    for (uint64_t group = 0; group <= space->units / 64; group++)
        starts_store(&groups[group].free, groups[group].free & groups[group].start);
    space->live_blocks = space->live_units = 0;
    uint64_t at = space->first;
    for (uint64_t end; (end = starts_after(space, at)) != SPACE_NONE;) {
        bool end_is_free = starts_is_free(space, end) || starts_after(space, end) == SPACE_NONE;
        if (starts_is_free(space, at) && end_is_free) {
            starts_clear(space, end);
            starts_clear_free(space, end);
            continue;
        }
        if (!starts_is_free(space, at)) {
            space->live_blocks++;
            space->live_units += end - at;
        }
        at = end;
    }
    starts_clear_free(space, at);
    space->top = at;
}

void space_repair(struct space *space)
{
    space_derive_summaries(space);
    space_join_all(space);
    for (unsigned level = 0; level < SPACE_LEVELS; level++)
        memset(largest_level(space, level), 0,
               space_part_bytes(1 + SPACE_SUMMARIES + level, space->units));
    for (uint64_t group = 0; group <= space->units / 64; group++)
        if (starts_groups(space)[group].free)
            largest_raise(space, group, largest_of_group(space, group));
    space_reset_ways(space);
}

struct space_block space_next(const struct space *space, struct space_block block, bool *is_free)
{
    uint64_t at = block.at + block.units;
    if (at >= space->units)
        return (struct space_block){SPACE_NONE, 0};
    *is_free = at == space->top || starts_is_free(space, at);
    uint64_t end = at == space->top ? space->units : starts_after(space, at);
    return (struct space_block){at, end - at};
}
