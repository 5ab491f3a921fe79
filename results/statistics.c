/* Medians, percentiles, and the bootstrap interval of a ratio. */
#include "results/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/err.h"
#include "harness/base/rng.h"

static int statistics_order(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double *statistics_room(size_t count)
{
    double *room = calloc(count ? count : 1, sizeof *room);
    if (!room)
        err_no_memory("%zu values", count);
    return room;
}

static double statistics_rank(const double *sorted, size_t count, double share)
{
    if (count == 0)
        return NAN;
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

/* Sorts in place. */
static double statistics_middle(double *values, size_t count)
{
    qsort(values, count, sizeof *values, statistics_order);
    return statistics_rank(values, count, 0.5);
}

double statistics_percentile(const double *values, size_t count, double share)
{
    double *sorted = statistics_room(count);
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, statistics_order);
    double percentile = statistics_rank(sorted, count, share);
    free(sorted);
    return percentile;
}

double statistics_median(const double *values, size_t count)
{
    return statistics_percentile(values, count, 0.5);
}

double statistics_spread(const double *values, size_t count)
{
    if (count < 2)
        return NAN;
    double low = statistics_percentile(values, count, 0);
    return (statistics_percentile(values, count, 1) - low) / statistics_median(values, count);
}

/* Two samples; paired ones have the same count and are drawn by the same places. */
struct statistics_sides {
    const double *a, *b;
    size_t a_count, b_count;
    bool paired;
};

/* Into `room`, `count` of the sample, each drawn anew. */
static double statistics_draw(const double *sample, size_t count, struct rng *rng, double *room)
{
    for (size_t i = 0; i < count; i++)
        room[i] = sample[rng_below(rng, count)];
    return statistics_middle(room, count);
}

/* What slows a machine for a while slows both of a block, so it is the blocks' own ratios whose
 * middle is sought. */
static double statistics_draw_blocks(const struct statistics_sides *sides, struct rng *rng,
                                     double *room)
{
    for (size_t i = 0; i < sides->a_count; i++) {
        size_t place = rng_below(rng, sides->a_count);
        room[i] = sides->a[place] / sides->b[place];
    }
    return statistics_middle(room, sides->a_count);
}

/* The ratio of one resample, drawn into the two rooms. */
static double statistics_resample(const struct statistics_sides *sides, struct rng *rng, double *a,
                                  double *b)
{
    if (sides->paired)
        return statistics_draw_blocks(sides, rng, a);
    double above = statistics_draw(sides->a, sides->a_count, rng, a);
    return above / statistics_draw(sides->b, sides->b_count, rng, b);
}

static void statistics_bootstrap(const struct statistics_sides *sides, uint64_t seed,
                                 struct interval *interval)
{
    double *a = statistics_room(sides->a_count), *b = statistics_room(sides->b_count);
    double *ratios = statistics_room(STATISTICS_RESAMPLES);
    struct rng rng;
    rng_init(&rng, seed);
    for (size_t i = 0; i < STATISTICS_RESAMPLES; i++)
        ratios[i] = statistics_resample(sides, &rng, a, b);
    qsort(ratios, STATISTICS_RESAMPLES, sizeof *ratios, statistics_order);
    interval->low = statistics_rank(ratios, STATISTICS_RESAMPLES, 0.025);
    interval->high = statistics_rank(ratios, STATISTICS_RESAMPLES, 0.975);
    free(ratios);
    free(b);
    free(a);
}

static struct interval statistics_interval(const struct statistics_sides *sides, uint64_t seed)
{
    size_t fewest = sides->a_count < sides->b_count ? sides->a_count : sides->b_count;
    struct interval interval = {
        .ratio = statistics_median(sides->a, sides->a_count) /
                 statistics_median(sides->b, sides->b_count),
        .low = NAN,
        .high = NAN,
        .indicative = fewest < STATISTICS_ENOUGH,
    };
    if (fewest >= 2)
        statistics_bootstrap(sides, seed, &interval);
    return interval;
}

struct interval statistics_ratio_paired(const double *a, const double *b, size_t count,
                                        uint64_t seed)
{
    struct interval interval =
        statistics_interval(&(struct statistics_sides){a, b, count, count, true}, seed);
    if (interval.low > interval.ratio)
        interval.low = interval.ratio;
    if (interval.high < interval.ratio)
        interval.high = interval.ratio;
    return interval;
}

struct interval statistics_ratio(const double *a, size_t a_count, const double *b, size_t b_count,
                                 uint64_t seed)
{
    return statistics_interval(&(struct statistics_sides){a, b, a_count, b_count, false}, seed);
}

bool interval_shows_difference(const struct interval *interval)
{
    return interval->low > 1 || interval->high < 1;
}
