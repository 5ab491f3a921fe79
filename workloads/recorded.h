/* One process of a recording, and its trace. */
#ifndef WORKLOADS_RECORDED_H
#define WORKLOADS_RECORDED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "workloads/recording.h"
#include "workloads/session.h"

struct recorded {
    pid_t pid;
    char *path; /* owned; NULL until the trace is opened */
    struct session session;
    uint64_t events, lost, cost_ns;
    char became[32]; /* a program without the recorder, "" none */
    char own[32];    /* a program with a malloc of its own, "" none */
    bool over;       /* asked before its chunks were looked for */
    bool gone;       /* over, and all it recorded taken in: its number may be another one's now */
};

/* The first process's trace, at the plan's path. */
int recorded_open(struct recorded *process, const struct recording_plan *plan, struct err *err);

/* A child's, at a free name made of the plan's path and its number, or at the path itself if that
 * is a device. Nothing is opened where that fails, and it may be tried again. */
int recorded_open_child(struct recorded *process, const struct recording_plan *plan,
                        const char *program, struct err *err);

/* One of the programs that the process became has a malloc of its own. */
void recorded_owns_malloc(struct recorded *process, const char *program);

/* Writes the trace's end. `became` is what the process was about to become when it was heard of
 * last, "" nothing. */
int recorded_finish(struct recorded *process, const char *became, struct err *err);

void recorded_release(struct recorded *process);

#endif
