/* What bench trace info tells of a trace. */
#ifndef HARNESS_COMMANDS_INFO_H
#define HARNESS_COMMANDS_INFO_H

#include <jansson.h>
#include <stdint.h>

#include "workloads/size_classes.h"
#include "workloads/statistics.h"

/* A trace and all that is told of it. */
struct info {
    const char *path;
    struct trace_reader *reader;
    const struct trace_origin *origin;
    const struct trace_summary *summary;
    struct statistics *statistics;
    struct size_classes classes;
    uint64_t file_bytes;
};

extern const char *const info_kinds[TRACE_KINDS];

static inline double info_bytes_per_event(const struct info *info)
{
    uint64_t events = info->summary->events;
    return events ? (double)info->file_bytes / (double)events : 0;
}

/* All of it as a new object; size classes and bins as the text has them. */
json_t *info_json(const struct info *info);

#endif
