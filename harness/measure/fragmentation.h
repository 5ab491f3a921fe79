/* Fragmentation figures as pure formulas over series, and what limits them. Bytes unless said. */
#ifndef HARNESS_MEASURE_FRAGMENTATION_H
#define HARNESS_MEASURE_FRAGMENTATION_H

#include <stddef.h>
#include <stdint.h>

/* Johnstone & Wilson, "The memory fragmentation problem: solved?" (ISMM 1998), section 4.1: how
 * far the memory used M lies above the memory live L, as a share of L. NaN where L is never above
 * 0 or there is no sample. */
struct johnstone_wilson {
    double mean;         /* #1: mean of M/L over the samples with L > 0, less 1 */
    double at_peak_live; /* #2: M/L at the first argmax of L, less 1 */
    double at_peak_held; /* #3: M/L at the first argmax of M, less 1 */
    double peaks;        /* #4: max M / max L, less 1 */
    double area;         /* sum of M / sum of L, less 1 */
};

struct johnstone_wilson johnstone_wilson(const uint64_t *live, const uint64_t *held, size_t count);

/* Upper bounds of the memory that a policy may need when never more than `live` units are live, in
 * blocks of 1 to `ratio` units: Robson's for the best possible one when all sizes are powers of two
 * (1971, 1974), first fit's, and best fit's, which is approximate. In units. */
double bound_robson(double live, double ratio);    /* M(1 + log2(n)/2) - n + 1 */
double bound_first_fit(double live, double ratio); /* M(1 + ceil(log2 n)) */
double bound_best_fit(double live, double ratio);  /* M(n - 2) */

/* The kernel's forms on free blocks by buddy order (mm/vmstat.c), in thousandths rounded down as it
 * prints them: the share of free pages that a block of 2^order pages cannot use, and the
 * fragmentation index: -1000 when a block of that order is free, else towards 0 for want of memory
 * and towards 1000 for fragmentation. 0 when nothing is free. */
int free_orders_unusable(const uint64_t *blocks, size_t orders, unsigned order);
int free_orders_index(const uint64_t *blocks, size_t orders, unsigned order);

#endif
