/* A made-up recording of several threads, and a window over it. */
#ifndef TESTS_HARNESS_SUPPORT_CROWD_H
#define TESTS_HARNESS_SUPPORT_CROWD_H

#include "harness/measure/window.h"
#include "workloads/reader.h"

struct crowd {
    unsigned threads;
    size_t events;
    unsigned live;         /* blocks at once at most */
    unsigned cross_share;  /* of 100 operations on live blocks, those by another thread */
    unsigned switch_share; /* of 100 operations, those before which another thread goes on */
    uint64_t seed;
};

struct crowd_window {
    struct trace_reader *reader;
    struct window window;
    uint32_t *threads;
    size_t capacity;
};

/* Writes the recording to a file of its own and opens a window of up to `words` over it, with the
 * threads of its operations. Everything is freed at the end. Fails the test where that fails. */
void crowd_open(struct crowd_window *opened, const struct crowd *crowd, size_t words);
void crowd_close(struct crowd_window *opened);

#endif
