/* A lane: one stream of operations and the player that runs it, in a thread or process of its own.
 *
 * Lanes lie in memory that the parent sees, and that lanes in other processes share. */
#ifndef HARNESS_MEASURE_LANE_H
#define HARNESS_MEASURE_LANE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/measure/handover.h"
#include "harness/measure/player.h"

enum { LANES_MAX = 4096 };

struct crew;
struct mark;

struct lane {
    _Alignas(128) struct player player; /* no two lanes write to one line, or to neighbours */
    const uint64_t *begin, *end;        /* its words of the window under way */
    size_t operations;                  /* in the window */
    uint64_t end_ticks;                 /* when it had played them */
    handover_word called; /* what it sleeps on between windows: how often it was called */
    uint64_t *ticks;      /* where its stamps go; NULL without */
    struct mark *marks;   /* of the operations that are timed, where not all are */
    size_t marked;
    struct crew *crew;
    pthread_t thread; /* or */
    pid_t process;
    pid_t number; /* of its thread, as the kernel has it */
    int failure;  /* of entering the heap: -errno */
};

#endif
