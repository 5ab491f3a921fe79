/* A cell: one allocator, one trace, one pass, one repetition, measured in one fresh process.
 *
 * A cell is a pure function of its description, so cells can be retried, resumed, shuffled and
 * spread over machines. */
#ifndef HARNESS_CELL_H
#define HARNESS_CELL_H

#include <stdint.h>
#include <sys/types.h>

#include "harness/base/err.h"
#include "harness/measure/pass.h"
#include "results/cell.h"
#include "results/store.h"

extern const char *const pass_names[PASS_KINDS];
extern const char *const touch_names[TOUCHES];
extern const char *const pace_names[PACES];
extern const char *const order_names[ORDERS];

enum { CELL_THREADS_AS_RECORDED = 0 };

struct cell {
    const char *allocator;  /* spec */
    const char *trace_path; /* a seekable trace file */
    const char *trace_name; /* as in results */
    enum pass pass;
    uint64_t repetition;
    enum touch touch;
    enum pace pace;          /* of the memory pass */
    enum order order;        /* of the verify pass */
    unsigned threads;        /* CELL_THREADS_AS_RECORDED, or how many */
    unsigned processes;      /* 1 */
    unsigned latency_sample; /* the latency pass times one call in so many: 1 all */
    uint64_t timeout_ns;     /* 0: none */
    uint64_t memory_limit;   /* bytes of writable private memory (RLIMIT_DATA), 0: none */
    const struct cell_moments *moments; /* PASS_MOMENTS only */
};

struct area;
struct moments_request;
struct moments_area;

/* PASS_MOMENTS: where the worker stops, and who is told. */
struct cell_moments {
    const struct moments_request *request;
    /* The worker is stopped; `shared` is its memory (area.h). Non-zero ends the cell. NULL where
     * nothing stops. */
    int (*attend)(void *arg, pid_t worker, const struct area *area, int shared, struct err *err);
    void *arg;
    struct moments_area *found; /* what the worker has left there is copied to it; may be NULL */
};

/* Runs the cell in a worker process and fills *result (status says what happened, also when the
 * allocator crashes, hangs, is missing or cannot do the trace: that is a result, and 0 is
 * returned). Series, histograms and heap maps are written into the store (PASS_MOMENTS leaves none,
 * and the store may be NULL). Non-zero only when nothing could be measured for a reason of ours (no
 * worker program, unreadable trace, full disk) or -EINTR when *interrupted became true (the worker
 * is killed; may be NULL). */
int cell_measure(const struct cell *cell, struct store *store, const volatile int *interrupted,
                 struct cell_result *result, struct err *err);

#endif
