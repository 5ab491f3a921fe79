/* The clock that times single calls: which one, and how long its ticks are. */
#ifndef HARNESS_MEASURE_TIMER_H
#define HARNESS_MEASURE_TIMER_H

#include "harness/base/clock.h"

struct timer {
    enum clock_kind clock;
    struct clock_point start;
    double ns_per_tick;
};

/* The time-stamp counter where it is invariant and the kernel, which compares it with other clocks,
 * has not struck it off its list; else the system's clock. `list` is the path of that list; one
 * that cannot be read says nothing against the counter. */
enum clock_kind timer_choose(const char *list);

/* Chooses a clock and measures its rate for 20 ms. */
void timer_init(struct timer *timer);

/* The rate over all the time since, and by how much it differs from the one first measured (0.001:
 * a thousandth). More than a few thousandths: the clock is not to be trusted. */
double timer_drift(const struct timer *timer);

#endif
