/* A program that forbids itself system calls (seccomp): from before then on the recorder makes none
 * in it, as one that is forbidden may end the program. What cannot be known without is left out:
 * what is touched of large blocks, and what recording costs. Children that it forks are left alone.
 */
#ifndef WORKLOADS_RECORD_CONFINE_H
#define WORKLOADS_RECORD_CONFINE_H

#include <stdatomic.h>
#include <stdbool.h>

extern _Atomic bool confine_here;

/* The thread may not read the time-stamp counter by which records are ordered: its events are lost.
 */
extern __thread bool confine_has_no_counter;

static inline bool confined(void)
{
    return atomic_load_explicit(&confine_here, memory_order_relaxed);
}

/* A moment, without a system call. */
static inline void confine_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

#endif
