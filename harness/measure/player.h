/* Replays decoded operations against a heap: the loop that every timed figure comes from.
 *
 * The loop is compiled once a touch policy, holds the hooks in registers, and makes no system call
 * and no allocation of its own, but where it has to wait for another lane's player (handover.h).
 * One player is one stream of operations in one thread. */
#ifndef HARNESS_MEASURE_PLAYER_H
#define HARNESS_MEASURE_PLAYER_H

#include <stddef.h>
#include <stdint.h>

#include "allocators/allocator.h"
#include "harness/base/clock.h"
#include "harness/measure/absence.h"
#include "harness/measure/handover.h"
#include "harness/measure/pass.h"

struct player {
    struct heap *heap; /* borrowed */
    void **refs;       /* borrowed; one an object number, NULL where its allocation failed */
    /* The word the loop is at, written before each operation: where the player lies in memory that
     * another process sees, it tells after a crash which operation it was. */
    const uint64_t *volatile at;
    handover_word *handovers; /* borrowed; of the window, where there are several lanes */
    struct waiting waiting;
    struct absence absence;      /* of its thread, in timed runs */
    uint64_t failed_allocations; /* calls that returned NULL, reallocs among them */
    uint64_t failed_reallocs;
    uint64_t skipped_reallocs; /* of objects whose allocation had failed */
    uint64_t skipped_frees;
};

/* Runs the words from `op` to `end`. A block whose realloc fails is freed, and what the trace does
 * with it later is skipped. */
void player_run(struct player *player, const uint64_t *op, const uint64_t *end, enum touch touch);

/* The same, with the ticks of `clock` that each operation took written to `ticks`, one an
 * operation; PLAYER_SKIPPED where nothing was called. The touching is not in them.
 *
 * A stamp that waits for the call to finish ends each operation. After a free, or where
 * blocks are not touched, nothing is left to do, so that the same stamp begins the next one: about
 * three stamps for two calls. What the loop itself
 * does between two operations is part of the next one's time, and of player_clock_cost().
 *
 * Above the ticks stands whether the thread was off its core in the call: player_ticks() and
 * player_absence() take them apart. */
void player_run_timed(struct player *player, const uint64_t *op, const uint64_t *end,
                      enum touch touch, enum clock_kind clock, uint64_t *ticks);

#define PLAYER_SKIPPED UINT64_MAX

enum { PLAYER_ABSENCE_SHIFT = 62 };

static inline uint64_t player_ticks(uint64_t told)
{
    return told & ((UINT64_C(1) << PLAYER_ABSENCE_SHIFT) - 1);
}

static inline enum absence_kind player_absence(uint64_t told)
{
    return (enum absence_kind)(told >> PLAYER_ABSENCE_SHIFT);
}

/* Ticks that player_run_timed tells for calls that do nothing, measured here and now with the same
 * code: the median of many. */
uint64_t player_clock_cost(enum clock_kind clock);

/* Gives or takes the handover that the word is. */
void player_hand_over(struct player *player, uint64_t word);

struct operation;

/* One operation of the kinds that make a block, for the passes in which time does not count. NULL
 * when the allocator refused. */
void *player_allocate(struct heap *heap, const struct operation *operation);

/* touch_block() on the memory of `ref`, which the operation made or resized. */
void player_touch_block(struct heap *heap, void *ref, const struct operation *operation,
                        enum touch touch);

/* Writes into the bytes [from, size) of a block as the policy says. */
static inline __attribute__((always_inline)) void touch_block(char *block, size_t from, size_t size,
                                                              const enum touch touch)
{
    if (touch == TOUCH_NONE || from >= size)
        return;
    if (touch == TOUCH_ALL) {
        __builtin_memset(block + from, 1, size - from);
        return;
    }
    *(volatile char *)(block + from) = 1;
    if (touch == TOUCH_PAGE || touch == TOUCH_RECORDED)
        for (uintptr_t page = ((uintptr_t)(block + from) | 4095) + 1;
             page < (uintptr_t)(block + size); page += 4096)
            *(volatile char *)page = 1;
}

#endif
