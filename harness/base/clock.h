/* Time: the monotonic clock for stretches, the time-stamp counter for single calls. */
#ifndef HARNESS_BASE_CLOCK_H
#define HARNESS_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

/* Nanoseconds since an arbitrary start (CLOCK_MONOTONIC). */
static inline uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Processor time of the calling thread: a system call. */
static inline uint64_t clock_thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Processor time of all threads of the process: a system call. */
static inline uint64_t clock_process_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* As getrusage() gives times. */
static inline uint64_t clock_timeval_ns(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_usec * 1000u;
}

/* Whether the time-stamp counter runs at one rate on all cores and never stops
 * (cpuid 0x80000007, bit 8). Asked once, never in a loop: cpuid traps in a virtual machine. */
bool clock_counter_is_invariant(void);

#if defined(__x86_64__)
/* Ticks; earlier instructions may still be under way. The cheapest reading there is. */
static inline uint64_t clock_ticks(void)
{
    return __builtin_ia32_rdtsc();
}

/* Ticks after every earlier instruction has finished: the stamp cannot run ahead of the work. */
static inline uint64_t clock_ticks_after(void)
{
    unsigned core;
    return __builtin_ia32_rdtscp(&core);
}
#else
static inline uint64_t clock_ticks(void)
{
    return clock_ns();
}
static inline uint64_t clock_ticks_after(void)
{
    return clock_ns();
}
#endif

/* What single calls are timed with. */
enum clock_kind {
    CLOCK_COUNTER, /* the time-stamp counter */
    CLOCK_SYSTEM,  /* CLOCK_MONOTONIC: a tick is a nanosecond */
    CLOCK_KINDS
};
extern const char *const clock_names[CLOCK_KINDS]; /* "counter", "system" */

/* A stamp in ticks of that clock. The compiler drops the branch where `kind` is a constant. */
static inline __attribute__((always_inline)) uint64_t clock_stamp(const enum clock_kind kind)
{
    return kind == CLOCK_COUNTER ? clock_ticks() : clock_ns();
}

/* The same, once every earlier instruction has finished. */
static inline __attribute__((always_inline)) uint64_t clock_stamp_after(const enum clock_kind kind)
{
    return kind == CLOCK_COUNTER ? clock_ticks_after() : clock_ns();
}

/* The same moment in ticks of a clock and in nanoseconds of CLOCK_MONOTONIC. Being interrupted
 * between the two readings does not show: of several tries the closest pair is taken. */
struct clock_point {
    uint64_t ticks;
    uint64_t ns;
};
struct clock_point clock_point(enum clock_kind kind);

/* Nanoseconds in a tick, from two moments some milliseconds apart. */
double clock_rate(struct clock_point from, struct clock_point to);

/* Nanoseconds in a tick of the counter, measured against the monotonic clock over `spend_ns` (a few
 * milliseconds give four digits); 1 where ticks are nanoseconds already. */
double clock_ns_per_tick(uint64_t spend_ns);

#endif
