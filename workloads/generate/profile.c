/* A steady state from a size profile: rows of size, allocation rate and live count, as fleetbench
 * publishes them for production programs.
 *
 * Each size has as many live blocks as the profile says (`scale` of them); then sizes are replaced
 * at the profile's rates, a random live block of the size each time, so the counts stay. A row's
 * numbers are read as decimal fractions and kept as integers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/generate/steady.h"

enum { PROFILE_FILE, PROFILE_SCALE, PROFILE_EVENTS, PROFILE_SEED };

static const struct option_row profile_options[] = {
    [PROFILE_FILE] = {"file", OPTION_TEXT, NULL, "CSV of size, alloc_rate, live_count", NULL},
    [PROFILE_SCALE] = {"percent", OPTION_COUNT, "100", "of the profile's live counts", NULL},
    [PROFILE_EVENTS] = {"events", OPTION_COUNT, "2000000", "operations after the ramp", NULL},
    [PROFILE_SEED] = {"seed", OPTION_COUNT, "1", "of the random numbers", NULL},
    {0},
};

enum {
    PROFILE_ROWS = 65536,
    PROFILE_FRACTION = 1000,
    PROFILE_EXPONENT = 99, /* larger ones are as good: beyond every number that is one here */
};

struct profile_row {
    uint64_t size;
    uint64_t rate;  /* thousandths */
    uint64_t count; /* thousandths, then live blocks */
    uint64_t rates; /* sum of rates up to and with this row */
    uint32_t *live; /* into profile.objects */
};

struct profile {
    struct profile_row *rows;
    size_t count;
    uint64_t blocks;
    uint32_t *objects;
};

/* Digits, a point, digits; an exponent of ten ("1.5e-05"); what is below a thousandth is dropped.
 */
static const char *profile_number(const char *at, uint64_t *thousandths)
{
    char *end;
    uint64_t digits = 0;
    int scale = 3;
    bool point = false, any = false;
    at += strspn(at, " \t");
    for (; (*at >= '0' && *at <= '9') || (*at == '.' && !point); at++) {
        point |= *at == '.';
        if (*at == '.' || digits > UINT64_MAX / 100) {
            scale += *at != '.' && !point;
            continue;
        }
        digits = digits * 10 + (uint64_t)(*at - '0');
        scale -= point;
        any = true;
    }
    if (any && (*at == 'e' || *at == 'E')) {
        long exponent = strtol(at + 1, &end, 10);
        scale += (int)(exponent > PROFILE_EXPONENT    ? PROFILE_EXPONENT
                       : exponent < -PROFILE_EXPONENT ? -PROFILE_EXPONENT
                                                      : exponent);
        at = end;
    }
    for (; scale > 0 && digits <= UINT64_MAX / 10; scale--)
        digits *= 10;
    for (; scale < 0 && digits; scale++)
        digits /= 10;
    *thousandths = digits;
    return any && scale <= 0 ? at + strspn(at, " \t\r\n") : NULL;
}

static bool profile_line(const char *line, struct profile_row *row)
{
    uint64_t size;
    const char *at = profile_number(line, &size);
    if (!at || *at++ != ',' || !(at = profile_number(at, &row->rate)) || *at++ != ',' ||
        !(at = profile_number(at, &row->count)) || *at)
        return false;
    row->size = size / PROFILE_FRACTION;
    return size % PROFILE_FRACTION == 0 && row->size >> 40 == 0 && row->rate >> 40 == 0 &&
           row->count >> 40 == 0;
}

static int profile_read(struct profile *profile, FILE *file, const char *path, struct err *err)
{
    char line[256];
    for (unsigned number = 1; fgets(line, sizeof line, file); number++) {
        struct profile_row row = {0};
        if (line[strspn(line, " \t\r\n")] == '\0' || (number == 1 && strstr(line, "size")))
            continue;
        if (!profile_line(line, &row))
            return err_set(err, EINVAL, "line %u of %.200s is not 'size, alloc_rate, live_count'",
                           number, path);
        if (profile->count == PROFILE_ROWS)
            return err_set(err, E2BIG, "%.200s has more than %d rows", path, PROFILE_ROWS);
        profile->rows[profile->count++] = row;
    }
    return profile->count ? 0 : err_set(err, EINVAL, "%.200s holds no rows", path);
}

static int profile_refuse(struct err *err)
{
    return generation_refuse(err, "percent", "leaves no block, or too many, live");
}

/* Live blocks from counts; what is lost by rounding one row is carried to the next, so that the
 * sum is right, too. Rows without a block cannot replace one. */
static int profile_plan(struct profile *profile, uint64_t percent, struct err *err)
{
    uint64_t carried = PROFILE_FRACTION / 2, rates = 0;
    for (size_t i = 0; i < profile->count; i++) {
        struct profile_row *row = &profile->rows[i];
        uint64_t wanted;
        if (__builtin_mul_overflow(row->count, percent, &wanted))
            return profile_refuse(err);
        wanted = wanted / 100 + carried;
        row->count = wanted / PROFILE_FRACTION;
        carried = wanted % PROFILE_FRACTION;
        profile->blocks += row->count;
        row->rates = rates += row->count ? row->rate : 0;
    }
    if (!profile->blocks || profile->blocks > UINT32_MAX / 2)
        return profile_refuse(err);
    profile->objects = generation_objects(profile->blocks, err);
    if (!profile->objects)
        return -err->code;
    uint32_t *next = profile->objects;
    for (size_t i = 0; i < profile->count; next += profile->rows[i++].count)
        profile->rows[i].live = next;
    return 0;
}

/* In a random order over the sizes: as they would have come, not one size after the other. */
static void profile_ramp(struct generation *to, struct profile *profile, uint32_t *order)
{
    uint64_t blocks = 0;
    for (size_t i = 0; i < profile->count; i++)
        for (uint64_t j = 0; j < profile->rows[i].count; j++)
            order[blocks++] = (uint32_t)i;
    generation_mark(to, "ramp");
    for (uint64_t i = 0; i < blocks && !generation_failed(to); i++) {
        uint64_t other = i + rng_below(&to->rng, blocks - i);
        uint32_t row = order[other];
        order[other] = order[i];
        *profile->rows[row].live++ = generation_malloc(to, 0, profile->rows[row].size);
    }
    for (size_t i = 0; i < profile->count; i++)
        profile->rows[i].live -= profile->rows[i].count;
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

static void profile_steady(struct generation *to, struct profile *profile, uint64_t events)
{
    if (!profile->rows[profile->count - 1].rates)
        return;
    generation_mark(to, "steady");
    for (uint64_t i = 0; i < events / 2 && !generation_failed(to); i++) {
        struct profile_row *row = profile_choose(to, profile);
        uint32_t *slot = &row->live[rng_below(&to->rng, row->count)];
        generation_free(to, 0, *slot);
        *slot = generation_malloc(to, 0, row->size);
    }
}

int profile_generate(struct generation *to, FILE *file, const char *name,
                     const struct profile_amount *amount, struct err *err)
{
    struct profile profile = {.rows = calloc(PROFILE_ROWS, sizeof *profile.rows)};
    rng_init(&to->rng, amount->seed);
    int failed = profile.rows ? profile_read(&profile, file, name, err)
                              : err_set(err, ENOMEM, "no memory left to read %.200s", name);
    if (!failed)
        failed = profile_plan(&profile, amount->percent, err);
    uint32_t *order = failed ? NULL : generation_objects(profile.blocks, err);
    if (!failed && !order)
        failed = -err->code;
    if (!failed) {
        profile_ramp(to, &profile, order);
        profile_steady(to, &profile, amount->events);
    }
    free(order);
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
