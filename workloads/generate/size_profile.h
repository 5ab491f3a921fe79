/* A size profile: a CSV whose rows say of a block size how often it is allocated and how many of it
 * live, as fleetbench publishes them for production programs.
 *
 * Columns are size, alloc_rate, live_count, in this order, or in any order and among others where a
 * header names them. Fields may be quoted, lines end in LF or CRLF, a mark of the byte order, blank
 * lines and comments (#) are passed over. Numbers are decimal fractions, with an exponent if need
 * be ("1.5e-05"), and are kept as integers. */
#ifndef WORKLOADS_GENERATE_SIZE_PROFILE_H
#define WORKLOADS_GENERATE_SIZE_PROFILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "harness/base/err.h"

#define SIZE_PROFILE_ONE UINT64_C(1000000000) /* 1, in the billionths of rates and counts */

struct size_profile_row {
    uint64_t size;
    uint64_t rate;  /* billionths of whatever unit */
    uint64_t count; /* billionths of a block */
};

struct size_profile {
    struct size_profile_row *rows; /* owned; by rising size */
    size_t count;
};

/* Reads all rows of `file`, which `name` names in sentences: what is wrong in which line. Released
 * by the caller in any case. 0 or -errno. */
int size_profile_read(struct size_profile *profile, FILE *file, const char *name, struct err *err);
void size_profile_release(struct size_profile *profile);

#endif
