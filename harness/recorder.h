/* Runs a program with the recorder loaded into it, and turns what it records into traces while it
 * runs. */
#ifndef HARNESS_RECORDER_H
#define HARNESS_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "workloads/recording.h"

struct recorder_plan {
    char **command; /* NULL-ended; borrowed */
    const char *library;
    struct recording_plan recording;
    bool follow;
    bool times;
    bool silent;    /* nothing to read for the program, and nothing heard of it */
    unsigned depth; /* of call stacks, 0: none */
    enum spool_order order;
};

struct recorder_outcome {
    int status;                 /* as waitpid tells it */
    int start_errno;            /* why the program could not be started, 0: it was */
    struct recording_cost cost; /* of the program's first process with the children it waited for */
    bool loaded;                /* the recorder was in the program */
    bool run_on;                /* processes that it started did not end with it */
    bool confined;              /* it has forbidden itself system calls */
    uint32_t left_alone;        /* child processes that allocated and were not recorded */
    uint32_t unheard;           /* programs that children became, and the recorder was not in */
    char unheard_name[32];      /* of one of them */
    uint64_t cpu_ns;            /* of all processes that were recorded, as far as known */
    uint64_t wait_ns;           /* that their threads waited for room, all together */
    uint64_t drain_ns;          /* CPU time of turning records into traces, beside the program */
    uint64_t late_ns;           /* from the program's end to the trace's */
};

/* 0 with *outcome and, unless the program was not started, *recording (owned by the caller) to ask
 * about the traces; or -errno when no trace could be written. */
int recorder_run(const struct recorder_plan *plan, struct recorder_outcome *outcome,
                 struct recording **recording, struct err *err);

#endif
