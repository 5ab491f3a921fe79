/* Counts a summary along a trace, in memory that grows with the live objects. */
#ifndef WORKLOADS_TALLY_H
#define WORKLOADS_TALLY_H

#include "workloads/array.h"
#include "workloads/trace.h"

struct tally {
    struct trace_summary summary;
    uint64_t live_bytes, live_blocks;
    struct array objects; /* struct tally_object, by number */
};

struct tally_object {
    uint64_t size;
    uint32_t thread; /* that allocated it */
};

/* A live object. */
static inline struct tally_object *tally_object(const struct tally *tally, uint32_t number)
{
    return (struct tally_object *)tally->objects.at + number;
}

/* Counts an event whose numbers are valid. 0 or -ENOMEM. A zeroed tally is a fresh one. */
int tally_add(struct tally *tally, const struct trace_event *event);

void tally_release(struct tally *tally);

#endif
