/* The free extents of a heap at one moment: how many, how large, and which blocks they could hold.
 * Bytes unless said. */
#ifndef HARNESS_MEASURE_HOLES_H
#define HARNESS_MEASURE_HOLES_H

#include <stddef.h>
#include <stdint.h>

#include "workloads/profile.h"

/* The sizes of blocks for which it is told: 16, 24, 32, 48, 64, 96 … */
enum { HOLE_REQUESTS = 52 };
uint64_t hole_request(size_t i);

struct holes {
    uint64_t count;
    uint64_t bytes; /* T */
    uint64_t largest;
    uint64_t bin_count[PROFILE_BINS], bin_bytes[PROFILE_BINS]; /* by profile_bin of their size */
    uint64_t filled[HOLE_REQUESTS];  /* by blocks of that size: sum of floor(e/r)*r */
    uint64_t fitting[HOLE_REQUESTS]; /* sum of the extents that are at least r */
};

void holes_add(struct holes *holes, uint64_t extent);

/* U(r): the share of the free bytes that blocks of hole_request(i) cannot use, 1 - sum of
 * floor(e/r)*r / T; and the weaker form, 1 - sum of the extents of at least r / T. 0 when nothing
 * is free. */
double holes_unusable(const struct holes *holes, size_t i);
double holes_too_small(const struct holes *holes, size_t i);

/* 1 - max e / T; 0 when nothing is free. */
double holes_outside_largest(const struct holes *holes);

#endif
