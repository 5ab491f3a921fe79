/* The peak of a program's heap, from outside and without a gap.
 *
 * What is resident only ever falls in a system call that gives memory back, so the peak is always
 * just before one, or at the end. Such calls (munmap, madvise, mremap, brk, mmap over what is
 * there, exit) are held up by a seccomp filter while the parent looks at /proc/PID/smaps;
 * everything else runs at full speed. A look is taken where the process has grown by 1/256 since
 * the largest one. Where the kernel has no such filter (before Linux 5.5), it is looked at every
 * millisecond instead, and the result says so.
 *
 * Only the first process is watched; what it forks runs on beside. Once it becomes another program
 * (exec), its peak begins anew. Which memory the program maps itself, it tells through
 * libheapbench-mappings.so (allocators/preload/mappings.h). */
#ifndef HARNESS_WATCH_H
#define HARNESS_WATCH_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/err.h"
#include "harness/measure/residents.h"

struct watch {
    char library[PATH_MAX]; /* to preload into the program */
    struct residents peak;  /* at the moment when its heap was largest */
    uint64_t peak_rss;      /* the largest resident size seen */
    uint64_t looks;         /* into smaps */
    uint64_t processes;     /* programs begun beside the first process */
    bool by_calls;          /* by the calls; false: only now and then */
    pid_t pid;              /* the rest is its own */
    int listener, channel[2], log;
    uint64_t log_read;
    bool begun;             /* looked at since it became what it is */
    uint64_t absent_before; /* absent then: what libraries reserved for themselves */
    uint64_t beside;        /* anonymous memory beside the heap at the last look */
    struct ranges own;
};

int watch_init(struct watch *watch, struct err *err);
void watch_release(struct watch *watch);

/* In the child, as the last thing before exec. */
void watch_enter(const struct watch *watch);

/* In the parent, once the child is the program. */
void watch_begin(struct watch *watch, pid_t pid);

/* What to poll for, -1: nothing; and what to do when it is readable, or else every WATCH_TICK_MS.
 */
enum { WATCH_TICK_MS = 1 };
int watch_poll_fd(const struct watch *watch);
void watch_serve(struct watch *watch);

/* When the program is over: takes in what it told last. */
void watch_end(struct watch *watch);

#endif
