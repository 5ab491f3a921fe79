/* What the files of the crew share: how lanes are called, and what for. */
#ifndef HARNESS_MEASURE_CREW_SHARED_H
#define HARNESS_MEASURE_CREW_SHARED_H

#include "harness/measure/crew.h"

enum crew_work { CREW_ENTER, CREW_PLAY, CREW_TURN, CREW_LEAVE };

/* What the lanes are called for, written before they are called; also for those that are processes,
 * which see nothing else of the crew that changes. */
struct crew_shared {
    _Alignas(128) handover_word running; /* lanes that were called and have not ended */
    enum crew_work work;
    unsigned count; /* of lanes */
    enum touch touch;
    enum clock_kind clock; /* where lanes have ticks */
    crew_turn *turn;
    crew_part *part; /* NULL: the player */
    void *arg;       /* of the one or the other */
    const uint32_t *threads;
    size_t operations;
    const uint64_t *op; /* where the next turn begins */
    size_t next;
    /* entering: what processes attach to */
    int (*attach)(const char *name, struct heap **out, struct err *err);
    char name[64];
};

enum {
    CREW_STACK_BYTES = 1 << 20, /* with what libraries keep a thread; untouched, it costs nothing */
    CREW_STACK_PLAYING = 16 << 10, /* touched for allocators, and for what libraries keep above */
    CREW_STACK_TURNS = 64 << 10,   /* for reading the kernel's figures too */
};

/* Wakes a lane. */
void crew_call(struct lane *lane);

/* Sleeps until the lane was called that often. */
void crew_await_call(struct lane *lane, uint32_t calls);

/* A lane that was called has ended; and waits until all have. */
void crew_end(struct crew_shared *shared);
void crew_await_all(struct crew_shared *shared);

/* Calls all lanes but the first; to play only those that have something to play. */
void crew_call_for(struct crew *crew, enum crew_work work);

void crew_play_lane(const struct crew *crew, struct lane *lane);

/* The lane that the next operation is of; the first when there is none. */
struct lane *crew_whose_turn(const struct crew *crew);

/* Plays the run of operations that are the lane's. */
void crew_take_turn(struct crew *crew, const struct lane *lane);

#endif
