/* What the processor's performance monitoring unit counts of this process and its threads to come.
 */
#ifndef HARNESS_MEASURE_COUNTERS_H
#define HARNESS_MEASURE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum counter {
    COUNTER_CYCLES,
    COUNTER_INSTRUCTIONS,
    COUNTER_CACHE_MISSES,
    COUNTER_TLB_MISSES, /* of loads, in the last level of the data TLB */
    COUNTERS
};

/* As perf_event_open() names an event. */
struct counter_event {
    uint32_t type;
    uint64_t config;
};
extern const struct counter_event counter_events[COUNTERS];

enum { COUNTERS_STATE = 192 };

struct counters {
    int fds[COUNTERS]; /* -1 where the machine has none */
    int leader;        /* by which all are started and stopped; -1 none at all */
    /* "user and kernel", "user only", or "not available: ", why, and what to do about it */
    char state[COUNTERS_STATE];
};

/* Opens them, stopped. Threads that are created later are counted too. That there are none is no
 * error: it is in the state. */
void counters_open(struct counters *counters, const struct counter_event events[COUNTERS]);
void counters_close(struct counters *counters);

/* One system call each; nothing where there are none. */
void counters_start(const struct counters *counters);
void counters_stop(const struct counters *counters);

/* Counts so far. Where events took turns on the unit they are scaled up; UINT64_MAX of those that
 * were never on it or are not there. */
void counters_read(const struct counters *counters, uint64_t counts[COUNTERS]);

/* What is to be said of these counts: the state, or that others had the unit all the time. */
const char *counters_verdict(const struct counters *counters, const uint64_t counts[COUNTERS]);

#endif
