/* Which clock times single calls, and what it says of calls whose length is known. */
#include "harness/measure/timer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/measure/player.h"
#include "harness/measure/window.h"
#include "tests/unit.h"

static enum clock_kind choice(const char *listed)
{
    char path[] = "/tmp/heapbench-clocks-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, listed, strlen(listed)) == (ssize_t)strlen(listed));
    close(fd);
    enum clock_kind kind = timer_choose(path);
    unlink(path);
    return kind;
}

static void a_counter_that_the_kernel_distrusts_is_not_taken(void **state)
{
    (void)state;
    enum clock_kind best = clock_counter_is_invariant() ? CLOCK_COUNTER : CLOCK_SYSTEM;
    assert_int_equal(choice("hpet acpi_pm \n"), CLOCK_SYSTEM);
    assert_int_equal(choice("kvm-clock tsc acpi_pm \n"), best);
    assert_int_equal(timer_choose("/nowhere/available_clocksource"), best);
}

static void a_rate_is_nanoseconds_in_a_tick(void **state)
{
    (void)state;
    struct clock_point from = {.ticks = 1000, .ns = 50}, to = {.ticks = 3000, .ns = 1050};
    assert_true(clock_rate(from, to) == 0.5);
    for (int kind = 0; kind < CLOCK_KINDS; kind++) {
        struct clock_point one = clock_point((enum clock_kind)kind), other;
        other = clock_point((enum clock_kind)kind);
        assert_true(other.ticks > one.ticks && other.ns >= one.ns);
    }
}

/* Calls that last until the system's clock has moved on by DELAY_NS. */
enum { DELAY_NS = 20000, CALLS = 200 };

static void *delayed_alloc(struct heap *heap, size_t size)
{
    uint64_t start = clock_ns();
    (void)size;
    while (clock_ns() - start < DELAY_NS)
        continue;
    return heap;
}

static void undelayed_free(struct heap *heap, void *ref)
{
    (void)heap;
    (void)ref;
}

/* No call can be told to be shorter than it was; that some are longer is the machine's doing. */
static void a_known_delay_is_told(void **state)
{
    (void)state;
    static const struct allocator table = {.alloc = delayed_alloc, .free = undelayed_free};
    struct heap heap = {&table};
    void *ref = NULL;
    struct player player = {.heap = &heap, .refs = &ref};
    uint64_t words[2 * CALLS], ticks[2 * CALLS];
    for (size_t i = 0; i < CALLS; i++) {
        words[2 * i] = UINT64_C(16) << OP_KIND_BITS | OP_MALLOC;
        words[2 * i + 1] = OP_FREE;
    }
    struct timer timer;
    timer_init(&timer);
    player_run_timed(&player, words, words + 2 * CALLS, TOUCH_NONE, timer.clock, ticks);
    double least = INFINITY, quick = INFINITY;
    for (size_t i = 0; i < CALLS; i++) {
        double delayed = (double)player_ticks(ticks[2 * i]) * timer.ns_per_tick;
        double undelayed = (double)player_ticks(ticks[2 * i + 1]) * timer.ns_per_tick;
        assert_true(delayed > DELAY_NS * 0.99);
        least = delayed < least ? delayed : least;
        quick = undelayed < quick ? undelayed : quick;
    }
    assert_true(least < 2 * DELAY_NS);
    assert_true(quick < DELAY_NS / 2.0);
}

static void doing_nothing_has_a_cost(void **state)
{
    (void)state;
    for (int kind = 0; kind < CLOCK_KINDS; kind++) {
        uint64_t cost = player_clock_cost((enum clock_kind)kind);
        assert_true(cost > 0 && cost < 4095);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_that_the_kernel_distrusts_is_not_taken),
        cmocka_unit_test(a_rate_is_nanoseconds_in_a_tick),
        cmocka_unit_test(a_known_delay_is_told),
        cmocka_unit_test(doing_nothing_has_a_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
