/* Jolts: a thread is made to pause at random moments, wherever it is.
 *
 * Threads that share two cores are seldom inside an allocator together, and a lock that is missing
 * shows only then. A timer's signal stops the thread in the middle of whatever it does, for long
 * enough that others go through the same place. */
#ifndef HARNESS_WORKER_JOLT_H
#define HARNESS_WORKER_JOLT_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/rng.h"

struct jolt {
    struct rng rng;
    uint64_t every_ns; /* on average */
    int timer;         /* the kernel's number */
    bool set;
    volatile bool done; /* it has come */
};

/* Once in each process, before the first begins. */
void jolt_prepare(void);

/* The calling thread is jolted until it ends that. Where the system has no timer left, it is not.
 */
void jolt_begin(struct jolt *jolt);
void jolt_end(struct jolt *jolt);

/* Has the next one come, if there was one: a thread that is held up for long elsewhere is jolted
 * once. */
void jolt_set(struct jolt *jolt);
static inline void jolt_again(struct jolt *jolt)
{
    if (jolt->done)
        jolt_set(jolt);
}

#endif
