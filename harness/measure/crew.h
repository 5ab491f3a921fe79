/* The crew: all the lanes of a replay, and the threads or processes that run them.
 *
 * The first lane is run by the caller, who also decodes and splits between windows, while the
 * others sleep. They start and end a window together. A crew of one is the caller alone: it has no
 * threads, and its window is played as it was decoded.
 *
 * Lanes in processes of their own attach to a heap that is shared between processes, each at an
 * address of its own; blocks go from one to the other by their refs. What they share lies in memory
 * that was mapped before they are forked (harness/base/pages.h). */
#ifndef HARNESS_MEASURE_CREW_H
#define HARNESS_MEASURE_CREW_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/measure/lane.h"
#include "harness/measure/marks.h"
#include "harness/measure/proc.h"
#include "harness/measure/split.h"
#include "harness/measure/window.h"

struct crew_shared;

/* How the lanes spent their time in the windows so far, in ticks, summed over those that had
 * something to do. */
struct crew_times {
    uint64_t span; /* from a window's start to its last lane's end */
    uint64_t busy; /* to each lane's own end */
};

struct crew {
    struct lane *lanes; /* borrowed */
    unsigned count;
    struct crew_shared *shared; /* owned */
    struct split split;         /* of a crew that plays */
    uint64_t *ticks;            /* owned; NULL unless timed */
    size_t capacity;            /* operations in a window */
    unsigned every;             /* one operation in so many is timed; below 2: all */
    struct mark *marks;         /* owned; NULL unless so */
    size_t marks_room;
    struct rng rng;
    char *stacks;     /* owned */
    unsigned planned; /* lanes at first */
    bool processes;
    int delays; /* owned; see proc_delays_open() */
    bool timed;
    struct heap *heap; /* borrowed; as this process sees it */
    struct crew_times times;
};

struct crew_plan {
    struct lane *lanes; /* zeroed memory, which the crew borrows */
    unsigned count;     /* of lanes, 1 to LANES_MAX */
    size_t objects;     /* live at once at most */
    size_t capacity;    /* words of a window */
    uint64_t *words;    /* split_words(capacity, count) to play from; NULL where turns are taken */
    bool timed;         /* ticks are wanted */
    unsigned every;     /* of one operation in so many; 0 and 1: of all */
    bool processes;     /* lanes are processes, not threads */
};

/* Maps and touches what the crew needs. */
int crew_init(struct crew *crew, const struct crew_plan *plan, struct err *err);
void crew_release(struct crew *crew);

/* How many refs its players need a table for. */
size_t crew_refs(const struct crew *crew, size_t objects);

/* Starts the threads or processes, which then sleep. Where the system refuses so many, the lanes
 * are fewer from then on: crew->count. A process that dies takes this one with it, by the same
 * signal. */
void crew_start(struct crew *crew);

/* What a crew's lanes come to. */
struct crew_heap {
    struct heap *heap;
    const char *name; /* under which it is shared between processes, else NULL */
    void **refs;      /* crew_refs() of them */
    enum touch touch;
};

/* All lanes enter the heap. */
int crew_enter(struct crew *crew, const struct crew_heap *to, struct err *err);

/* All lanes leave the heap, and the threads or processes end. */
void crew_stop(struct crew *crew);

/* Hands the window's operations to the lanes. */
void crew_split(struct crew *crew, struct window *window);

/* Plays what was split, and returns when the last lane has ended. */
void crew_play(struct crew *crew);

/* Plays the words of a lane, from its begin to its end, in the lane's thread or process. */
typedef void crew_part(void *arg, struct lane *lane);

/* As crew_play, with `part` in place of player_run. */
void crew_play_as(struct crew *crew, crew_part *part, void *arg);

/* The same as player_run_timed; the ticks are in `ticks` after crew_collect. Where only some
 * operations are timed, those of the others are left as they are: set them PLAYER_SKIPPED before.
 */
void crew_play_timed(struct crew *crew, enum clock_kind clock, uint64_t *ticks);

/* Puts the ticks of the window just played into `ticks`, in the trace's order. */
void crew_collect(struct crew *crew, const struct window *window, uint64_t *ticks);

/* Plays `count` operations from `op` on, the first of which is number `first` of the window. */
typedef void crew_turn(void *arg, const uint64_t *op, size_t first, size_t count);

/* Has every operation of the window played in the recorded order, each by its own lane's thread,
 * one at a time: a run of operations of one lane is a turn. */
void crew_take_turns(struct crew *crew, const struct window *window, crew_turn *turn, void *arg);

/* What the kernel has counted of all its threads or processes since they began. `delayed_ns` is a
 * sum: several threads may wait at the same time, and for one another's cores. */
void crew_counts(const struct crew *crew, struct proc_counts *counts);

/* As proc_migrations(), of all of them. */
uint64_t crew_migrations(const struct crew *crew);

/* Sums over the lanes. */
struct waiting crew_waiting(const struct crew *crew);

#endif
