/* From the spool of a recorded program to traces, while the program runs: one trace a process. */
#ifndef WORKLOADS_RECORDING_H
#define WORKLOADS_RECORDING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/err.h"
#include "workloads/spool.h"
#include "workloads/trace.h"

struct recording;

struct recording_plan {
    const char *path;           /* of the first process's trace; borrowed */
    struct trace_origin origin; /* columns included; borrowed texts */
    uint64_t start_stamp;       /* the counter at the beginning, for time stamps */
    double ns_per_tick;
};

/* What became of one process; `path` is borrowed. */
struct recording_result {
    const char *path;
    pid_t pid;
    uint64_t events, lost;
    uint64_t cost_ns;   /* of its records, by what one was tried out to cost in the process */
    const char *became; /* a program without the recorder, NULL none; borrowed */
    const char *own;    /* a program with a malloc of its own, NULL none; borrowed */
    uint64_t inherited; /* frees of blocks from before the recording: a parent's */
};

/* Before the program is started, so that an output that cannot be written stops it. The spool is
 * borrowed. */
int recording_create(struct recording **out, struct spool *spool, const struct recording_plan *plan,
                     struct err *err);

/* Which process the first trace is of; before the first step. */
void recording_set_root(struct recording *recording, pid_t pid);

/* Whether a process has written its last; `arg` is what was given with it. */
typedef bool recording_is_over(pid_t pid, void *arg);

/* There are processors to spare: where much is to be taken in, a second thread packs it. */
void recording_split(struct recording *recording);

/* Takes in what is there. */
int recording_step(struct recording *recording, recording_is_over *is_over, void *arg,
                   struct err *err);

/* There is more to be taken in at once: a step is bounded, so that it does not take long. */
bool recording_is_behind(const struct recording *recording);

/* What the first process took, and what of that was the recorder outside its fast path. */
struct recording_cost {
    uint64_t wall_ns, cpu_ns, slow_ns;
    uint64_t drain_ns, late_ns; /* of turning it into traces, so far: processor time, and time since
                                   its end */
    int signal;                 /* that ended it, 0 none */
};

/* After the last step, with every process over: writes the traces' ends. The first process has a
 * trace even if it recorded nothing. */
int recording_finish(struct recording *recording, const struct recording_cost *cost,
                     struct err *err);

/* Processes recorded so far, and one of them (after the finish). */
size_t recording_count(const struct recording *recording);
struct recording_result recording_result(const struct recording *recording, size_t number);

void recording_destroy(struct recording *recording);

#endif
