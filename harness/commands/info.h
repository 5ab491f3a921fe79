/* What bench trace info tells of a trace. */
#ifndef HARNESS_COMMANDS_INFO_H
#define HARNESS_COMMANDS_INFO_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "workloads/size_classes.h"
#include "workloads/statistics.h"

enum { INFO_TOP = 10 }; /* rows of a table, as text */

/* Blocks up to STATISTICS_EXACT, and what classes lose on them. */
struct info_rounding {
    uint64_t bytes, lost, lost_by_powers;
};

/* Call sites of the same name: the innermost frame that is no wrapper of an allocator. */
struct info_site {
    char *label;           /* owned */
    uint64_t at_peak;      /* bytes that lived when most did */
    uint64_t calls, bytes; /* allocations and resizes */
};

/* A trace and all that is told of it. */
struct info {
    FILE *out; /* of the text */
    const char *path;
    struct trace_reader *reader;
    const struct trace_origin *origin;
    const struct trace_summary *summary;
    struct statistics *statistics;
    struct size_classes classes;         /* that suit all requests */
    struct size_classes peak_classes;    /* and what lived at the peak */
    struct info_rounding requests, peak; /* of all that was asked for; of what lived at the peak */
    struct info_site *sites;             /* owned; the most live at the peak first */
    size_t site_count;
    uint64_t file_bytes;
};

extern const char *const info_kinds[TRACE_KINDS];

static inline double info_bytes_per_event(const struct info *info)
{
    uint64_t events = info->summary->events;
    return events ? (double)info->file_bytes / (double)events : 0;
}

/* Reads the trace to its end or as far as it is whole. 0 or -errno; `reader` is NULL where there is
 * nothing to tell. */
int info_gather(struct info *info, struct err *err);
void info_release(struct info *info);

/* The threads' numbers, the busiest first. Owned by the caller. */
uint32_t *info_threads_by_operations(const struct info *info);

void info_print(const struct info *info);

/* Sizes, lifetimes, classes, threads and call sites, of a trace with `sized` requests. */
void info_print_tables(const struct info *info, uint64_t sized);

/* All of it as a new object; size classes and bins as the text has them. */
json_t *info_json(const struct info *info);

#endif
