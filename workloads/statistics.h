/* What a trace is like: its summary, the sizes asked for, and how long blocks live. */
#ifndef WORKLOADS_STATISTICS_H
#define WORKLOADS_STATISTICS_H

#include "workloads/array.h"
#include "workloads/level.h"
#include "workloads/reader.h"
#include "workloads/tally.h"

enum {
    STATISTICS_BINS = 65,        /* by the number of significant bits: 0, 1, 2-3, 4-7, … */
    STATISTICS_EXACT = 32 << 10, /* sizes up to this are counted one by one */
};

/* What a thread did. */
struct statistics_thread {
    uint64_t operations;
    uint64_t allocations, bytes;   /* and resizes, that did not fail */
    uint64_t frees, foreign_frees; /* of blocks, and of those that another thread allocated */
};

/* What was asked for at a call site. A block is that of the site that resized it last. */
struct statistics_site {
    uint64_t calls, bytes; /* allocations and resizes that did not fail */
    struct level live;     /* bytes */
};

struct statistics {
    struct tally tally;
    uint64_t sizes[STATISTICS_BINS];         /* allocations and resizes, by requested bytes */
    uint64_t size_bytes[STATISTICS_BINS];    /* the same, bytes requested in all */
    uint64_t lifetimes[STATISTICS_BINS];     /* freed objects, by operations lived through */
    uint64_t lifetimes_ns[STATISTICS_BINS];  /* the same by time, where the trace has times */
    uint64_t exact[STATISTICS_EXACT + 1];    /* allocations and resizes, by size */
    struct level live[STATISTICS_EXACT + 1]; /* blocks, by size */
    uint64_t peaks;                          /* of live bytes so far: for the levels */
    uint64_t first_ns;                       /* of the first event */
    uint64_t cross_thread_resizes;           /* reallocs of blocks that another thread allocated */
    uint64_t large;           /* blocks that a recorder looks at, resized ones anew */
    uint64_t partly_touched;  /* large blocks of which not every page was touched */
    uint64_t untouched_bytes; /* of those, bytes requested and not touched */
    struct array objects;     /* what is known of each, by number */
    struct array threads;     /* struct statistics_thread, by number */
    struct array sites;       /* struct statistics_site, by number */
    uint32_t site_count;      /* of them, site 0 (unknown) included */
};

/* Counts all that the reader yields, into a zeroed struct. What the footer alone knows (losses,
 * repairs) is taken from there. On damage everything before it is counted. */
int statistics_scan(struct statistics *statistics, struct trace_reader *reader, struct err *err);

/* Blocks of each size up to STATISTICS_EXACT that lived when the live bytes were at their peak. */
void statistics_at_peak(const struct statistics *statistics, uint64_t counts[STATISTICS_EXACT + 1]);

void statistics_release(struct statistics *statistics);

/* The smallest and the largest value of a bin. */
uint64_t statistics_bin_low(unsigned bin);
uint64_t statistics_bin_high(unsigned bin);

#endif
