/* The time-stamp counter's rate and trustworthiness. */
#include "harness/base/clock.h"

#if defined(__x86_64__)
#include <cpuid.h>

bool clock_counter_is_invariant(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));
}

double clock_ns_per_tick(uint64_t spend_ns)
{
    uint64_t start_ns = clock_ns(), start = clock_ticks(), now_ns;
    do
        now_ns = clock_ns();
    while (now_ns - start_ns < spend_ns);
    uint64_t ticks = clock_ticks() - start;
    return (double)(now_ns - start_ns) / (double)ticks;
}
#else
bool clock_counter_is_invariant(void)
{
    return true;
}

double clock_ns_per_tick(uint64_t spend_ns)
{
    (void)spend_ns;
    return 1;
}
#endif
