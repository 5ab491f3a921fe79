/* Fragmentation figures as pure formulas over series and free extents. Bytes unless said. */
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

/* Free extents of the heap at one moment. */
struct free_space {
    uint64_t total;
    uint64_t largest;
    uint64_t extents;
};

void free_space_add(struct free_space *space, uint64_t extent);

/* 1 - max e / T; 0 when nothing is free. */
double free_space_largest_hole(const struct free_space *space);

/* Share of the free bytes that blocks of `size` bytes cannot use: 1 - sum of floor(e/size)*size /
 * T. 0 when nothing is free. */
double free_space_unusable(const uint64_t *extents, size_t count, uint64_t size);

/* The weaker form: 1 - sum of the extents of at least `size` / T. */
double free_space_too_small(const uint64_t *extents, size_t count, uint64_t size);

/* The kernel's forms on free blocks by buddy order (mm/vmstat.c), in thousandths rounded down as it
 * prints them: the share of free pages that a block of 2^order pages cannot use, and the
 * fragmentation index: -1000 when a block of that order is free, else towards 0 for want of memory
 * and towards 1000 for fragmentation. 0 when nothing is free. */
int free_orders_unusable(const uint64_t *blocks, size_t orders, unsigned order);
int free_orders_index(const uint64_t *blocks, size_t orders, unsigned order);

#endif
