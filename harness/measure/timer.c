/* The clock that times single calls. */
#include "harness/measure/timer.h"

#include <math.h>
#include <string.h>

#include "harness/measure/lines.h"

static int timer_lists_counter(void *arg, const char *line, size_t length)
{
    (void)arg;
    return memmem(line, length, "tsc", 3) != NULL;
}

enum clock_kind timer_choose(const char *list)
{
    bool trusted = lines_read(list, timer_lists_counter, NULL) != 0;
    return clock_counter_is_invariant() && trusted ? CLOCK_COUNTER : CLOCK_SYSTEM;
}

void timer_init(struct timer *timer)
{
    enum { CALIBRATE_NS = 20000000 };
    timer->clock =
        timer_choose("/sys/devices/system/clocksource/clocksource0/available_clocksource");
    timer->start = clock_point(timer->clock);
    while (clock_ns() - timer->start.ns < CALIBRATE_NS)
        continue;
    timer->ns_per_tick = clock_rate(timer->start, clock_point(timer->clock));
}

double timer_drift(const struct timer *timer)
{
    return fabs(clock_rate(timer->start, clock_point(timer->clock)) / timer->ns_per_tick - 1);
}
