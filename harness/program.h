/* A real program with its allocations served by an allocator: what is preloaded and set for it, its
 * run from start to end, and the proof of who owned malloc in it. */
#ifndef HARNESS_PROGRAM_H
#define HARNESS_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "allocators/spec.h"
#include "harness/base/err.h"
#include "harness/watch.h"

struct program {
    struct spec spec;
    char library[PATH_MAX]; /* what must own malloc */
    char behind[PATH_MAX];  /* what the layers in it must stand before, "" for the C library's */
    char preload[5 * PATH_MAX];
    int witness; /* a memory file that every process of the program writes to */
};

/* 0, or -errno with the sentence that says why no program can run on that allocator (a spec that
 * cannot be parsed, -ENOENT for a library that is not installed). Points into itself: not to be
 * copied. */
int program_prepare(struct program *program, const char *allocator, struct err *err);
void program_release(struct program *program);

/* How one run of it is to be. */
struct program_run {
    char **command;                  /* NULL-ended; borrowed */
    bool silent;                     /* nothing to read; its output is dropped, its errors kept */
    struct watch *watch;             /* NULL: undisturbed */
    uint64_t timeout_ns;             /* 0: none */
    const volatile int *interrupted; /* stops the run when it becomes true; may be NULL */
};

struct program_end {
    int start_errno; /* why it could not be started, 0: it was */
    int status;      /* as wait4() gives it */
    bool timed_out, interrupted;
    uint64_t wall_ns;
    struct rusage usage; /* with the children that it waited for */
    char complaint[256]; /* the last of what a silent program wrote to its standard error */
};

/* Runs it to its end. A silent program is a process group of its own, which ends with it; any other
 * has the terminal, so that from then on Ctrl-C is the program's to handle. Non-zero only when
 * nothing could be run for a reason of ours. */
int program_run(const struct program *program, const struct program_run *run,
                struct program_end *end, struct err *err);

/* NULL when malloc of the first process of all runs so far was owned by what was asked for, else
 * the sentence, in `text`. */
const char *program_flaw(const struct program *program, const char *name, char *text,
                         size_t length);

#endif
