/* One recorded process on its way into a trace: records in order become events. */
#ifndef WORKLOADS_SESSION_H
#define WORKLOADS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "workloads/addresses.h"
#include "workloads/intake.h"
#include "workloads/symbols.h"
#include "workloads/trace.h"
#include "workloads/writer.h"

struct session {
    struct trace_writer *writer;
    struct encoder *encoder; /* the writer's */
    struct addresses live;
    struct array moving; /* struct session_moving, by thread: blocks inside a realloc */
    struct table large;  /* by address: the event that gave a large block there its size, twice, + 1
                            where it was told of what is touched of it */
    uint32_t threads;
    uint64_t start_stamp; /* for time stamps */
    uint64_t last_ns;     /* of the operation before; what exec ends has no stamp of its own */
    double ns_per_tick;
    uint64_t orphan_frees, double_allocations;
    struct symbols *symbols;   /* NULL without call stacks */
    struct array sites;        /* uint32_t: the trace's number of a stack, by the program's */
    struct table site_of_hash; /* one number for a stack that several threads told of */
    struct err *err;           /* where a failure of the writer is told */
};

/* An operation's time, by its stamp, or that of the one before. Never earlier than that: a record
 * that a signal handler made in the middle of another has the lower stamp of the two, and so has
 * one that had to wait for another thread's. */
static inline uint64_t session_time(struct session *session, uint64_t stamp)
{
    if (session->ns_per_tick > 0 && stamp > session->start_stamp) {
        uint64_t ns = (uint64_t)((double)(stamp - session->start_stamp) * session->ns_per_tick);
        session->last_ns = ns > session->last_ns ? ns : session->last_ns;
    }
    return session->last_ns;
}

/* A stack's definition may come a moment after its first use, as a stamp may be early. */
static inline bool session_knows_site(const struct session *session, uint32_t number)
{
    return (number + (size_t)1) * sizeof number <= session->sites.bytes &&
           ((uint32_t *)session->sites.at)[number];
}

/* The trace's number of a stack that is known; 0: of none. */
static inline uint32_t session_site(const struct session *session, uint32_t number)
{
    return number ? ((uint32_t *)session->sites.at)[number] : 0;
}

/* Starts the trace at `path`; the origin is copied. */
int session_init(struct session *session, const char *path, const struct trace_origin *origin,
                 struct err *err);

/* For a struct merge_visitor; `session` is a struct session. An allocation of what is live still
 * has to wait. */
int session_visit(void *session, uint32_t thread, const struct intake_record *record,
                  bool last_call);

/* The process has become another program, recorded on or not: all its blocks are gone, a mark says
 * so. */
int session_exec(struct session *session, const char *program, bool recorded);

/* Writes the trace's end. Negative: the trace is gone. */
int session_finish(struct session *session, uint64_t lost);

void session_release(struct session *session);

#endif
