/* Streams of calls for bench-policies, out of a trace or made up, decoded before anything is timed.
 *
 * A stream is a trace's path, or one of: churn (random sizes, 10,000 live), churn10 (the same, ten
 * times as many live), churn:N (the same, N live; as many operations or 20 a block), larson:N (N
 * blocks of 10 to 500 bytes, of which random ones are replaced; likewise), holes (many equal holes
 * too small for every other request), border (sizes around those of classes), saw (the heap fills
 * and empties). */
#ifndef TESTS_BENCH_SUPPORT_STREAMS_H
#define TESTS_BENCH_SUPPORT_STREAMS_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "workloads/trace.h"

struct operation {
    uint32_t object;
    uint32_t kind; /* enum trace_kind */
    uint32_t old;  /* realloc: the size before */
    uint32_t size;
};

struct stream {
    const char *name;
    struct operation *operations; /* shared with the children */
    size_t count, room;
    size_t objects;
    uint32_t *sizes; /* of live objects while the stream is made */
};

/* 0, or -errno with a sentence; to be closed then. */
int stream_make(struct stream *stream, const char *name, struct err *err);
void stream_close(struct stream *stream);

#endif
