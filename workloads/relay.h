/* Hands a trace's events over to a thread that encodes, packs and writes them, so that who finds
 * them out goes on meanwhile: for when there are processors to spare.
 *
 * Only for a writer whose numbers are the trace's (trace_writer_encoder). What else the writer does
 * for its caller waits until the relay is closed, or settled. */
#ifndef WORKLOADS_RELAY_H
#define WORKLOADS_RELAY_H

#include <stdint.h>

#include "harness/base/err.h"
#include "workloads/numbering.h"
#include "workloads/trace.h"
#include "workloads/writer.h"

enum {
    RELAY_BATCH = 2048, /* events handed over at a time */
    RELAY_AHEAD = 6,    /* batches */
};

struct relay_thread;

struct relay {
    struct numbering numbering;  /* the trace's, as it is behind the event handed over last */
    uint64_t events;             /* so far: the number of the next one */
    struct trace_event *batch;   /* under way, borrowed from the thread */
    uint32_t count;              /* of it */
    struct relay_thread *thread; /* owned */
};

/* 0, or -ENOMEM, also where no thread can be started: then there is no relay. The writer is
 * borrowed. */
int relay_open(struct relay *relay, struct trace_writer *writer);

/* Everything handed over is encoded now. 0 or what encoding failed for. */
int relay_settle(struct relay *relay, struct err *err);

/* Settles; the thread is gone. */
int relay_close(struct relay *relay, struct err *err);

/* The rare half of relay_put: a full batch. */
int relay_turn(struct relay *relay, struct err *err);

/* An event that can happen. 0 or what encoding an earlier one failed for. */
static inline int relay_put(struct relay *relay, const struct trace_event *event, struct err *err)
{
    relay->batch[relay->count++] = *event;
    relay->events++;
    return relay->count < RELAY_BATCH ? 0 : relay_turn(relay, err);
}

#endif
