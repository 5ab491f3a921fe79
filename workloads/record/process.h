/* The recorded process: its way into the spool, and its threads' streams. */
#ifndef WORKLOADS_RECORD_PROCESS_H
#define WORKLOADS_RECORD_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "workloads/record/record.h"

enum process_state { PROCESS_UNBORN, PROCESS_RECORDED, PROCESS_LEFT_ALONE };

/* In memory that fork wipes: a child finds itself unborn and its lock open, whatever way it was
 * forked. */
struct process {
    _Atomic int state;
    _Atomic int locked;
    pid_t pid;      /* as it sees itself */
    bool elsewhere; /* in a PID namespace where the recorder is not seen */
    uint32_t image;
    uint32_t used; /* streams ever handed out */
    struct stream *free;
    struct stream *ending; /* of threads that may be gone by now */
    struct stream streams[];
};

/* What this process is to the recorder; decides on the first call. Signals are blocked. NULL where
 * there is no spool. */
struct process *process_here(void);

/* The state without deciding anything: cheap. */
bool process_is_left_alone(void);

/* The calling process, as it sees itself, once there is a spool; where it is confined and a child
 * of vfork, its parent. */
pid_t process_pid(void);

/* Its program, and what that forks, has a malloc of its own, which comes before the recorder's. */
void process_has_own_malloc(void);

/* The calling process's image; NULL where it is not recorded, as a child of vfork that is in its
 * parent's memory. */
struct spool_image *process_image(void);

/* In a child, before fork returns there: a signal handler may have forked in the middle of a
 * record, and what the child goes on to write of it must not get into its parent's. */
void process_forked(void);

/* A stream for the calling thread, or NULL with 65,536 threads at once: one whose thread is gone,
 * with the rest of its chunk, where there is one. Signals are blocked. */
struct stream *process_stream(struct process *process);

/* The thread is about to end. It may free memory to the very last, so its stream stays open until
 * the kernel no longer knows it. */
void process_stream_ends(struct process *process, struct stream *stream);

#endif
