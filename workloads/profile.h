/* What a trace asks for, as histograms: sizes and lifetimes. Filled block by block while a trace
 * streams past; memory is 16 bytes an entry of the object table. */
#ifndef WORKLOADS_PROFILE_H
#define WORKLOADS_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "workloads/trace.h"

/* Log-linear bins: every power of two in four parts, exact up to 8. Bin b holds the values from
 * profile_bin_low(b) to profile_bin_low(b + 1) - 1. */
enum { PROFILE_BINS = 256 };
size_t profile_bin(uint64_t value);
uint64_t profile_bin_low(size_t bin);

/* Coarse bins: by powers of two. Bin 0 holds 0, bin b the values from 2^(b-1) to 2^b - 1. */
enum { PROFILE_POWERS = 65 };
unsigned profile_power(uint64_t value);

/* Freed objects of a size (as it was at the end) that lived so long. */
struct profile_lives {
    uint64_t count, bytes;
};

struct profile_object;

struct profile {
    uint64_t sizes[PROFILE_BINS]; /* allocations by bytes requested, reallocs by their new size */
    uint64_t size_bytes[PROFILE_BINS]; /* the bytes they asked for */
    uint64_t lifetimes[PROFILE_BINS];  /* freed objects by operations between allocation and free */
    struct profile_lives lives[PROFILE_POWERS][PROFILE_POWERS]; /* by size, by lifetime */
    uint64_t never_freed;
    struct profile_object *objects; /* owned */
    uint64_t object_count;
};

/* `objects` as in the trace's summary. */
int profile_init(struct profile *profile, uint64_t objects, struct err *err);
void profile_release(struct profile *profile);
void profile_add(struct profile *profile, const struct trace_block *block);

/* After the last block: counts what is still live. */
void profile_finish(struct profile *profile);

#endif
