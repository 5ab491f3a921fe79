/* A handover: one lane tells another that an operation on a block is done.
 *
 * Where a block is used by one lane after another, the earlier one gives a handover when its
 * operation is done, and the later one takes it before its own. Each has a word of its own, used
 * once in a window by one giver and one taker, so that nothing can be mistaken for something else.
 * A word lies in shared memory: the lanes may be processes. */
#ifndef HARNESS_MEASURE_HANDOVER_H
#define HARNESS_MEASURE_HANDOVER_H

#include <stdatomic.h>
#include <stdint.h>

enum handover_state { HANDOVER_OPEN, HANDOVER_AWAITED, HANDOVER_DONE };

typedef _Atomic uint32_t handover_word;

/* What a lane's waiting came to. Waits are what a replay bends: the program had none there. */
struct waiting {
    uint64_t handovers; /* taken */
    uint64_t waits;     /* those that were not yet given */
    uint64_t ticks;     /* spent in waits */
};

/* Sleeps while *word is `expected`, and may return early. */
void handover_sleep(handover_word *word, uint32_t expected);

/* Wakes all who sleep on the word. */
void handover_wake(handover_word *word);

/* Waits for a handover that is not yet given: spins shortly, gives its core away, then sleeps. */
void handover_wait(handover_word *word, struct waiting *waiting);

static inline void handover_give(handover_word *word)
{
    if (atomic_exchange_explicit(word, HANDOVER_DONE, memory_order_acq_rel) == HANDOVER_AWAITED)
        handover_wake(word);
}

static inline void handover_take(handover_word *word, struct waiting *waiting)
{
    waiting->handovers++;
    if (__builtin_expect(atomic_load_explicit(word, memory_order_acquire) != HANDOVER_DONE, 0))
        handover_wait(word, waiting);
}

#endif
