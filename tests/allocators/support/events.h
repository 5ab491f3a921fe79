/* The operations of a trace, one by one. */
#ifndef TESTS_EVENTS_H
#define TESTS_EVENTS_H

#include "harness/base/err.h"
#include "workloads/trace.h"

/* 0, or -errno with a sentence, which ends it. */
typedef int events_visitor(void *arg, struct trace_event event, struct err *err);

/* The first `events` events of a trace, but for marks, and calls that failed or told of no object.
 * 0, or -errno with the visitor's sentence or the reader's. */
int events_each(const char *path, uint64_t events, events_visitor *visit, void *arg,
                struct err *err);

#endif
