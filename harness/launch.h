/* Starts the worker program in surroundings that do not change from one cell to the next, and waits
 * for its end. */
#ifndef HARNESS_LAUNCH_H
#define HARNESS_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/err.h"

struct launch {
    const char *library;    /* to preload, or NULL */
    char *const *variables; /* "NAME=value" of the allocator */
    size_t variable_count;
    uint64_t memory_limit; /* RLIMIT_DATA in bytes, 0 none */
    uint64_t timeout_ns;   /* 0 none */
    int area;              /* descriptor that the worker inherits */
    /* Called again and again while the worker runs, to trace it; may be NULL. Not with attend. */
    void (*follow)(void *arg, pid_t worker);
    void *follow_arg;
    const volatile int *interrupted; /* may be NULL */
    /* Called each time the worker has stopped itself; it goes on when this returns 0, and is killed
     * otherwise. NULL: it never stops. */
    int (*attend)(void *arg, pid_t worker, struct err *err);
    void *arg;
};

struct ending {
    int status; /* as waitpid() gives it */
    bool timed_out;
    bool interrupted;
    uint64_t wall_ns; /* from start to end */
    char output[256]; /* the beginning of what it printed */
};

/* Runs the worker to its end, or kills it and its process group at the time limit or when
 * *interrupted became true. Non-zero only when it could not be started, or attend failed. */
int launch_run(const struct launch *launch, struct ending *ending, struct err *err);

#endif
