/* Medians, percentiles, and the bootstrap interval of a ratio (Efron & Tibshirani, "An Introduction
 * to the Bootstrap", 1993: percentile intervals). Nothing here changes its input. */
#ifndef RESULTS_STATISTICS_H
#define RESULTS_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STATISTICS_RESAMPLES = 10000,
    STATISTICS_ENOUGH = 6, /* repetitions; an interval from fewer is indicative only */
};

/* The mean of the two middle values when `count` is even; NaN when it is 0. */
double statistics_median(const double *values, size_t count);

/* `share` in 0…1, interpolated linearly between the two nearest ranks; NaN when `count` is 0. */
double statistics_percentile(const double *values, size_t count, double share);

/* (largest - smallest) / median; NaN below two values. */
double statistics_spread(const double *values, size_t count);

/* median(a) / median(b) with its 95 % interval. */
struct interval {
    double ratio;     /* NaN where one side has no value */
    double low, high; /* NaN below two repetitions: one measurement shows no difference */
    bool indicative;  /* fewer than STATISTICS_ENOUGH repetitions */
};

/* Of paired blocks: a[i] and b[i] were measured side by side. The interval is that of the median of
 * the blocks' own ratios, a[i] / b[i], stretched where need be to hold median(a) / median(b). */
struct interval statistics_ratio_paired(const double *a, const double *b, size_t count,
                                        uint64_t seed);

/* Of independent samples: each side is drawn by itself. */
struct interval statistics_ratio(const double *a, size_t a_count, const double *b, size_t b_count,
                                 uint64_t seed);

/* Whether the interval excludes 1. */
bool interval_shows_difference(const struct interval *interval);

#endif
