/* One cell's process: what every pass needs, prepared before the first event. */
#ifndef HARNESS_WORKER_WORKER_H
#define HARNESS_WORKER_WORKER_H

#include "allocators/region.h"
#include "allocators/spec.h"
#include "harness/measure/area.h"
#include "harness/measure/counters.h"
#include "harness/measure/crew.h"
#include "harness/measure/maps.h"
#include "harness/measure/proc.h"
#include "harness/measure/window.h"
#include "harness/worker/lanes.h"
#include "workloads/reader.h"

struct verify;
struct prober;

struct worker {
    int fd; /* of the memory that is shared with the parent */
    struct area *area;
    struct cell_result *result; /* in the area */
    struct spec spec;
    struct trace_reader *reader;
    struct window window;
    struct lane *lanes;         /* behind the area */
    struct crew crew;           /* of the lanes */
    struct player *player;      /* the first lane's */
    uint64_t by_kind[OP_LARGE]; /* operations of the windows that are done */
    struct region region;       /* base NULL where the heap has none */
    struct heap *heap;
    struct counters counters;  /* opened for the throughput pass */
    struct verify *verify;     /* of the verify pass */
    struct prober *prober;     /* of a probe */
    enum touch touch;          /* what is asked, or none where blocks cannot be written */
    bool usable_known;         /* usable_size() may be believed to be of this allocator */
    char program[PATH_MAX];    /* this program's path, as maps spells it */
    struct intervals baseline; /* what was mapped before any library's constructor ran */
    uint64_t baseline_vsz;     /* then */
    uint64_t library_vsz;      /* what constructors mapped */
    uint64_t own_vsz;          /* before the heap was created, less library_vsz */
};

/* Maps `bytes` more of the memory that the parent sees, at its end; zeroed, and where `touched` is
 * set, touched. NULL with errno set. */
void *worker_share(struct worker *worker, size_t bytes, bool touched, uint64_t *offset);

/* Sets the result's status and detail, which end the cell without an error. Returns -ECANCELED, for
 * the caller to hand on. */
int worker_refuse(struct worker *worker, const char *status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a warning to the result's detail. */
void worker_note(struct worker *worker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Fills the next window, splits it and makes it known to the parent. As window_fill. */
int worker_next_window(struct worker *worker, struct err *err);

/* The window under way is done: its operations go into the result. */
void worker_window_done(struct worker *worker);

/* Writes the counts of the windows done so far into the result. */
void worker_count(struct worker *worker);

/* The trace's own figures. */
const struct trace_summary *worker_summary(const struct worker *worker);

/* What the kernel counted, and the time that passed, in the stretches between start and stop.
 * Migrations count from the first start to the report. */
struct meter {
    const struct crew *crew; /* of whose members */
    bool begun;
    uint64_t migrations; /* before the first start */
    struct proc_counts start, sum;
    uint64_t start_ns, elapsed_ns;
    uint64_t thread_start_ns, thread_ns; /* processor time of the thread that called */
};
void meter_start(struct meter *meter);
void meter_stop(struct meter *meter);
void meter_report(const struct meter *meter, struct cell_result *result);

/* After meter_report: time an operation. What other programs took of a single thread's core is no
 * time of the replay's. Several threads wait for each other, and whose waiting that was cannot be
 * told. */
void worker_report_time(struct worker *worker, const struct meter *meter);

/* Who answers malloc here? Fills allocator_object and build_id, and refuses the cell if it is not
 * the library that was asked for. */
int identity_check(struct worker *worker);

/* The passes: 0, or -errno with a sentence; -ECANCELED where the result says why. */
int throughput_pass(struct worker *worker, struct err *err);
int latency_pass(struct worker *worker, struct err *err);
int memory_pass(struct worker *worker, struct err *err);
int verify_prepare(struct worker *worker, struct err *err); /* before the lanes start */
int verify_pass(struct worker *worker, struct err *err);
int moments_pass(struct worker *worker, struct err *err);

/* In place of the latency pass, where the request asks for a probe. It is prepared before the lanes
 * start, so that a tracer finds them all. */
int probe_prepare(struct worker *worker, struct err *err);
int probe_pass(struct worker *worker, struct err *err);

#endif
