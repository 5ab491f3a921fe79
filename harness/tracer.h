/* Counts the system calls that a worker makes in the calls it marks (harness/worker/probe.c). */
#ifndef HARNESS_TRACER_H
#define HARNESS_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "harness/measure/area.h"

struct tracer {
    struct area *area; /* shared with the worker */
    size_t next;       /* of the area's worst calls */
    pid_t thread;      /* whose call is looked at */
    enum { TRACER_NEW, TRACER_OUTSIDE, TRACER_INSIDE, TRACER_LEAVING, TRACER_OFF } state;
};

/* For struct launch's `follow`: `tracer` is a struct tracer with its area set. Seizes the worker
 * the first time, says in the area whether it may be traced, and follows it for some milliseconds
 * or to its end. */
void tracer_follow(void *tracer, pid_t worker);

#endif
