/* A real program on several allocators, and the replay of its one recording on each: the cells that
 * results/fidelity.h compares.
 *
 * The real program runs `plan.repeat` times on each allocator undisturbed (for time) and as often
 * watched (for its heap), allocators shuffled anew each time; its output is dropped. */
#ifndef HARNESS_FIDELITY_H
#define HARNESS_FIDELITY_H

#include "harness/base/err.h"
#include "harness/plan.h"
#include "results/store.h"

struct fidelity_test {
    struct plan *plan;  /* allocators, repetitions, touch, seed, time limit */
    char **command;     /* NULL-ended; borrowed */
    const char *folder; /* of the run */
    const volatile int *interrupted;
};

/* Records the program once into the folder and makes the recording the plan's one trace. -errno
 * also when nothing was recorded: the program could not be started, failed, or ignored the
 * recorder. */
int fidelity_record(const struct fidelity_test *test, struct err *err);

/* Runs the real program; a run that fails is a cell that says so. 0, -EINTR when interrupted, or
 * -errno. */
int fidelity_run_program(const struct fidelity_test *test, struct store *store, struct err *err);

/* After the replays: where the error is to be explained, replays again at the program's pace, and
 * with only the first byte of each block written. As fidelity_run_program. */
int fidelity_diagnose(const struct fidelity_test *test, struct store *store, struct err *err);

#endif
