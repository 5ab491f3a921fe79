/* What a trace is like: its summary, the sizes asked for, and how long blocks live. */
#ifndef WORKLOADS_STATISTICS_H
#define WORKLOADS_STATISTICS_H

#include "workloads/array.h"
#include "workloads/reader.h"
#include "workloads/tally.h"

enum {
    STATISTICS_BINS = 65,        /* by the number of significant bits: 0, 1, 2-3, 4-7, … */
    STATISTICS_EXACT = 32 << 10, /* sizes up to this are counted one by one */
};

struct statistics {
    struct tally tally;
    uint64_t sizes[STATISTICS_BINS];      /* allocations and resizes, by requested bytes */
    uint64_t size_bytes[STATISTICS_BINS]; /* the same, bytes requested in all */
    uint64_t lifetimes[STATISTICS_BINS];  /* freed objects, by operations lived through */
    uint64_t exact[STATISTICS_EXACT + 1]; /* allocations and resizes, by size */
    uint64_t large;                       /* blocks that a recorder looks at, resized ones anew */
    uint64_t partly_touched;              /* large blocks of which not every page was touched */
    uint64_t untouched_bytes;             /* of those, bytes requested and not touched */
    struct array births;                  /* uint64_t an object: the event that allocated it */
};

/* Counts all that the reader yields, into a zeroed struct. What the footer alone knows (losses,
 * repairs) is taken from there. On damage everything before it is counted. */
int statistics_scan(struct statistics *statistics, struct trace_reader *reader, struct err *err);

void statistics_release(struct statistics *statistics);

/* The smallest and the largest value of a bin. */
uint64_t statistics_bin_low(unsigned bin);
uint64_t statistics_bin_high(unsigned bin);

#endif
