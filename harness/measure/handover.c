/* A handover: one lane tells another that an operation on a block is done. */
#include "harness/measure/handover.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/base/clock.h"

/* A giver that is running and near needs a microsecond; one that waits for a core may get this one
 * when it is given away, which is cheaper than to be woken for every block. Measured on recordings
 * of 15 and 390 threads on two cores: longer spinning and more yielding are both slower. */
enum { SPINS = 20, YIELDS = 2 };

void handover_sleep(handover_word *word, uint32_t expected)
{
    syscall(SYS_futex, word, FUTEX_WAIT, expected, NULL, NULL, 0);
}

void handover_wake(handover_word *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static bool handover_is_done(handover_word *word)
{
    return atomic_load_explicit(word, memory_order_acquire) == HANDOVER_DONE;
}

static void handover_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static bool handover_comes_soon(handover_word *word)
{
    for (int i = 0; i < SPINS; i++) {
        if (handover_is_done(word))
            return true;
        handover_pause();
    }
    for (int i = 0; i < YIELDS; i++) {
        sched_yield();
        if (handover_is_done(word))
            return true;
    }
    return false;
}

void handover_wait(handover_word *word, struct waiting *waiting)
{
    uint64_t start = clock_ticks();
    waiting->waits++;
    if (!handover_comes_soon(word)) {
        uint32_t open = HANDOVER_OPEN;
        atomic_compare_exchange_strong_explicit(word, &open, HANDOVER_AWAITED, memory_order_acq_rel,
                                                memory_order_acquire);
        while (!handover_is_done(word))
            handover_sleep(word, HANDOVER_AWAITED);
    }
    waiting->ticks += clock_ticks() - start;
}
