/* A steady state from a size profile (size_profile.h).
 *
 * Each size gets as many live blocks as the profile says (`percent` of them); then sizes are drawn
 * at the profile's rates, and each draw allocates a block for a random live one of its size that
 * goes. A count that no whole number meets within 2 % (10.4, or 0.3) is met over time: after each
 * draw of such a size one block more lives, or not, with the probability of the fraction. How many
 * of these begin with the one more is settled from the largest size down, so that the live bytes
 * come out right: the share of a block of which there is but a thousandth falls to the next smaller
 * ones. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/generate/size_profile.h"
#include "workloads/generate/steady.h"

enum { PROFILE_FILE, PROFILE_SCALE, PROFILE_EVENTS, PROFILE_SEED };

static const struct option_row profile_options[] = {
    [PROFILE_FILE] = {"file", OPTION_TEXT, NULL, "CSV of size, alloc_rate, live_count", NULL},
    [PROFILE_SCALE] = {"percent", OPTION_COUNT, "100", "of the profile's live counts", NULL},
    [PROFILE_EVENTS] = {"events", OPTION_COUNT, "2000000", "operations after the ramp", NULL},
    [PROFILE_SEED] = {"seed", OPTION_COUNT, "1", "of the random numbers", NULL},
    {0},
};

enum { PROFILE_NEAR = 50 }; /* one part in so many off is near enough */

struct profile_row {
    uint64_t size;
    uint64_t base;     /* live blocks at least */
    uint64_t fraction; /* billionths of one more */
    uint64_t count;    /* live now */
    uint64_t rates;    /* sum of rates up to and with this row */
    uint32_t *live;    /* into profile.objects */
};

struct profile {
    struct profile_row *rows;
    size_t count;
    uint64_t slots; /* blocks that can be live at most */
    uint32_t *objects;
};

static int profile_refuse(struct err *err)
{
    return generation_refuse(err, "percent", "leaves no block, or too many, live");
}

/* The whole number of blocks, and the fraction of one more where that is not near enough. */
static int profile_round(struct profile_row *row, uint64_t count, uint64_t percent,
                         uint64_t *wanted)
{
    uint64_t more;
    if (__builtin_mul_overflow(count / 100, percent, wanted) ||
        __builtin_mul_overflow(count % 100, percent, &more) ||
        __builtin_add_overflow(*wanted, more / 100, wanted) || *wanted > UINT64_MAX / 2)
        return -EOVERFLOW;
    uint64_t nearest = (*wanted + SIZE_PROFILE_ONE / 2) / SIZE_PROFILE_ONE * SIZE_PROFILE_ONE;
    uint64_t off = nearest > *wanted ? nearest - *wanted : *wanted - nearest;
    bool near = off <= *wanted / PROFILE_NEAR;
    row->base = (near ? nearest : *wanted) / SIZE_PROFILE_ONE;
    row->fraction = near ? 0 : *wanted % SIZE_PROFILE_ONE;
    row->count = row->base;
    return 0;
}

/* What `billionths` of a block of that size are, in bytes. */
static int64_t profile_bytes(uint64_t size, int64_t billionths)
{
    __extension__ typedef __int128 wide;
    return (int64_t)((wide)size * billionths / (wide)SIZE_PROFILE_ONE);
}

/* From the largest size down: `owed` are the bytes that are missing so far. */
static void profile_settle(struct profile_row *row, uint64_t wanted, int64_t *owed)
{
    int64_t size = (int64_t)row->size;
    *owed += profile_bytes(row->size, (int64_t)(wanted - row->count * SIZE_PROFILE_ONE));
    if (row->fraction && *owed >= size - size / 2) {
        row->count++;
        *owed -= size;
    }
}

static int profile_plan(struct profile *profile, const struct size_profile *from, uint64_t percent,
                        struct err *err)
{
    int64_t owed = 0;
    for (size_t i = from->count; i-- > 0;) {
        struct profile_row *row = &profile->rows[i];
        uint64_t wanted;
        row->size = from->rows[i].size;
        if (profile_round(row, from->rows[i].count, percent, &wanted))
            return profile_refuse(err);
        profile_settle(row, wanted, &owed);
        profile->slots += row->base + (row->fraction > 0);
    }
    uint64_t rates = 0;
    for (size_t i = 0; i < from->count; i++) {
        bool lives = profile->rows[i].base || profile->rows[i].fraction;
        if (__builtin_add_overflow(rates, lives ? from->rows[i].rate : 0, &rates))
            return err_set(err, ERANGE, "the rates add up to too much: give them in larger units");
        profile->rows[i].rates = rates;
    }
    return profile->slots && profile->slots <= UINT32_MAX / 2 ? 0 : profile_refuse(err);
}

static int profile_room(struct profile *profile, struct err *err)
{
    profile->objects = generation_objects(profile->slots, err);
    if (!profile->objects)
        return -err->code;
    uint32_t *next = profile->objects;
    for (size_t i = 0; i < profile->count; i++) {
        profile->rows[i].live = next;
        next += profile->rows[i].base + (profile->rows[i].fraction > 0);
    }
    return 0;
}

/* In a random order over the sizes: as they would have come, not one size after the other. */
static int profile_ramp(struct generation *to, struct profile *profile, struct err *err)
{
    uint32_t *order = generation_objects(profile->slots, err);
    uint64_t blocks = 0;
    if (!order)
        return -err->code;
    for (size_t i = 0; i < profile->count; i++) {
        for (uint64_t j = 0; j < profile->rows[i].count; j++)
            order[blocks++] = (uint32_t)i;
        profile->rows[i].count = 0;
    }
    generation_mark(to, "ramp");
    for (uint64_t i = 0; i < blocks && !generation_failed(to); i++) {
        uint64_t other = i + rng_below(&to->rng, blocks - i);
        struct profile_row *row = &profile->rows[order[other]];
        order[other] = order[i];
        row->live[row->count++] = generation_malloc(to, 0, row->size);
    }
    free(order);
    return 0;
}

static struct profile_row *profile_choose(struct generation *to, struct profile *profile)
{
    uint64_t drawn = rng_below(&to->rng, profile->rows[profile->count - 1].rates);
    size_t low = 0, high = profile->count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (profile->rows[middle].rates > drawn)
            high = middle;
        else
            low = middle + 1;
    }
    return &profile->rows[low];
}

static void profile_free_any(struct generation *to, struct profile_row *row)
{
    uint32_t *slot = &row->live[rng_below(&to->rng, row->count)];
    generation_free(to, 0, *slot);
    *slot = row->live[--row->count];
}

/* One allocation, and frees until as many live as should. Returns how many operations that was. */
static uint64_t profile_draw(struct generation *to, struct profile_row *row)
{
    uint64_t done = 1, wanted = row->base;
    if (row->fraction)
        wanted += rng_below(&to->rng, SIZE_PROFILE_ONE) < row->fraction;
    for (; row->count && row->count >= wanted; done++)
        profile_free_any(to, row);
    uint32_t object = generation_malloc(to, 0, row->size);
    if (wanted) {
        row->live[row->count++] = object;
        return done;
    }
    generation_free(to, 0, object);
    return done + 1;
}

static void profile_steady(struct generation *to, struct profile *profile, uint64_t events)
{
    if (!profile->rows[profile->count - 1].rates)
        return;
    generation_mark(to, "steady");
    for (uint64_t done = 0; events - done >= 2 && done < events && !generation_failed(to);)
        done += profile_draw(to, profile_choose(to, profile));
}

int profile_generate(struct generation *to, FILE *file, const char *name,
                     const struct profile_amount *amount, struct err *err)
{
    struct size_profile from;
    struct profile profile = {0};
    rng_init(&to->rng, amount->seed);
    int failed = size_profile_read(&from, file, name, err);
    profile.count = from.count;
    profile.rows = failed ? NULL : calloc(from.count, sizeof *profile.rows);
    if (!failed && !profile.rows)
        failed = err_set(err, ENOMEM, "no memory left for %zu sizes", from.count);
    if (!failed)
        failed = profile_plan(&profile, &from, amount->percent, err);
    size_profile_release(&from);
    if (!failed)
        failed = profile_room(&profile, err);
    if (!failed)
        failed = profile_ramp(to, &profile, err);
    if (!failed)
        profile_steady(to, &profile, amount->events);
    free(profile.objects);
    free(profile.rows);
    return failed;
}

static int profile_run(struct generation *to, const union option_value *options, struct err *err)
{
    const char *path = options[PROFILE_FILE].text;
    const struct profile_amount amount = {options[PROFILE_SCALE].number,
                                          options[PROFILE_EVENTS].number,
                                          options[PROFILE_SEED].number};
    if (!path)
        return generation_refuse(err, "file", "name a CSV: profile:file=sizes.csv");
    FILE *file = fopen(path, "re");
    if (!file)
        return err_set(err, errno, "cannot open %.200s: %s", path, strerror(errno));
    int failed = profile_generate(to, file, path, &amount, err);
    fclose(file);
    return failed;
}

const struct generator generator_profile = {
    .name = "profile",
    .summary = "the steady state of a size profile (CSV of size, alloc_rate, live_count)",
    .options = profile_options,
    .run = profile_run,
};
