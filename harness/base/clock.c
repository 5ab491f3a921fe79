/* The time-stamp counter's rate and trustworthiness. */
#include "harness/base/clock.h"

#if defined(__x86_64__)
#include <cpuid.h>

bool clock_counter_is_invariant(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));
}

#else
bool clock_counter_is_invariant(void)
{
    return true;
}
#endif

const char *const clock_names[CLOCK_KINDS] = {"counter", "system"};

enum { CLOCK_TRIES = 32 };

struct clock_point clock_point(enum clock_kind kind)
{
    struct clock_point best = {0};
    uint64_t closest = UINT64_MAX;
    for (int i = 0; i < CLOCK_TRIES; i++) {
        uint64_t before = clock_stamp_after(kind), ns = clock_ns();
        uint64_t between = clock_stamp_after(kind) - before;
        if (between < closest) {
            closest = between;
            best = (struct clock_point){before + between / 2, ns};
        }
    }
    return best;
}

double clock_rate(struct clock_point from, struct clock_point to)
{
    return (double)(to.ns - from.ns) / (double)(to.ticks - from.ticks);
}

double clock_ns_per_tick(uint64_t spend_ns)
{
    struct clock_point start = clock_point(CLOCK_COUNTER);
    while (clock_ns() - start.ns < spend_ns)
        continue;
    return clock_rate(start, clock_point(CLOCK_COUNTER));
}
