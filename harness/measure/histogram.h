/* A log-linear histogram of HdrHistogram's scheme: whole numbers from 1 to an hour in nanoseconds,
 * each kept to 3 significant digits (Gil Tene, HdrHistogram; the layout is that of its published
 * C and Java versions, so counts can be compared index by index).
 *
 * Values below 2,048 have a counter each; every further doubling has 1,024 counters. */
#ifndef HARNESS_MEASURE_HISTOGRAM_H
#define HARNESS_MEASURE_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    HISTOGRAM_SUB_BUCKETS = 2048,
    HISTOGRAM_BUCKETS = 32,
    HISTOGRAM_COUNTERS = (HISTOGRAM_BUCKETS + 1) * (HISTOGRAM_SUB_BUCKETS / 2),
};
_Static_assert(HISTOGRAM_COUNTERS == 33792, "three significant digits up to an hour");

#define HISTOGRAM_HIGHEST ((uint64_t)3600 * 1000000000)

/* All zero is an empty one. */
struct histogram {
    uint64_t total;
    uint64_t max; /* exact, not rounded to its bucket */
    uint64_t counts[HISTOGRAM_COUNTERS];
};

/* The counter of a value; those above an hour go into the last one's bucket. */
size_t histogram_index(uint64_t value);

/* The smallest and the largest value that share a counter. */
uint64_t histogram_lowest(size_t index);
uint64_t histogram_highest(size_t index);

void histogram_record(struct histogram *histogram, uint64_t value);
void histogram_add(struct histogram *into, const struct histogram *from);

/* The value that `percentile` (0…100) per cent of the records do not exceed: the upper end of its
 * counter, never above the exact maximum. 0 when empty. */
uint64_t histogram_percentile(const struct histogram *histogram, double percentile);

/* Whether there are records enough to speak of that percentile: at least one lies beyond it. With
 * 1,000 records there is a 99.9th, but no 99.99th percentile. */
bool histogram_reaches(const struct histogram *histogram, double percentile);

double histogram_mean(const struct histogram *histogram);

/* The percentile table as HdrHistogram's tools read it (columns Value, Percentile, TotalCount,
 * 1/(1-Percentile)), with `ticks` lines for each halving of the distance to 100 %. */
void histogram_print(FILE *out, const struct histogram *histogram, unsigned ticks);

#endif
