/* The list of the slowest calls, and what is concluded of their causes. */
#include "harness/measure/worst.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "harness/base/rng.h"
#include "tests/unit.h"

static void offer(struct worst *worst, uint64_t ns, uint64_t operation)
{
    const struct worst_call call = {.ns = ns, .operation = operation, .event = 2 * operation};
    if (worst_takes(worst, ns))
        worst_add(worst, &call);
}

static int slower(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one < other) - (one > other);
}

static void the_slowest_are_kept(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static uint64_t all[COUNT];
    struct worst worst = {0};
    struct rng rng;
    rng_init(&rng, 3);
    for (size_t i = 0; i < COUNT; i++) {
        all[i] = rng_below(&rng, 1000000);
        offer(&worst, all[i], i);
    }
    worst_order_by_time(&worst);
    for (size_t i = 0; i < WORST_CALLS; i++)
        assert_int_equal(all[worst.calls[i].operation], worst.calls[i].ns);
    qsort(all, COUNT, sizeof *all, slower);
    assert_int_equal(worst.count, WORST_CALLS);
    for (size_t i = 0; i < WORST_CALLS; i++)
        assert_int_equal(worst.calls[i].ns, all[i]);
}

static void few_calls_are_all_kept_in_both_orders(void **state)
{
    (void)state;
    struct worst worst = {0};
    offer(&worst, 5, 0);
    offer(&worst, 9, 1);
    offer(&worst, 5, 2);
    assert_int_equal(worst.count, 3);
    worst_order_by_time(&worst);
    assert_int_equal(worst.calls[0].operation, 1);
    assert_int_equal(worst.calls[1].operation, 0);
    assert_int_equal(worst.calls[2].operation, 2);
    worst_order_by_operation(&worst);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(worst.calls[i].operation, i);
    assert_int_equal(worst.calls[0].system_calls, WORST_UNKNOWN);
}

static struct worst_call seen(uint64_t ns, uint64_t again_ns, uint64_t page_faults)
{
    return (struct worst_call){.ns = ns, .again_ns = again_ns, .page_faults = page_faults};
}

static void causes_follow_from_what_was_seen(void **state)
{
    (void)state;
    struct worst_call call = seen(80000, 75000, 0);
    assert_int_equal(worst_cause(&call), CAUSE_ALLOCATOR);
    call.page_faults = 2;
    assert_int_equal(worst_cause(&call), CAUSE_PAGE_FAULT);
    worst_note_system_call(&call, SYS_munmap);
    assert_int_equal(worst_cause(&call), CAUSE_SYSTEM_CALL);
    worst_note_system_call(&call, SYS_futex);
    assert_int_equal(worst_cause(&call), CAUSE_LOCK);
    /* However many faults and calls: what takes a tenth of it the next time is not their doing. */
    call.again_ns = 8000;
    assert_int_equal(worst_cause(&call), CAUSE_DISTURBED);
}

static struct worst_call absent(enum absence_kind absence, uint64_t again_ns)
{
    struct worst_call call = seen(80000, again_ns, 0);
    call.absence = absence;
    call.absence_told = call.among_others = true;
    return call;
}

static void what_the_thread_did_meanwhile_is_a_cause(void **state)
{
    (void)state;
    struct worst_call call = absent(ABSENCE_SLEPT, 300);
    assert_int_equal(worst_cause(&call), CAUSE_LOCK);
    assert_string_equal(worst_core(&call), "slept");
    worst_note_system_call(&call, SYS_futex);
    assert_int_equal(worst_cause(&call), CAUSE_LOCK);
    /* The kernel may let a call wait for its own locks, if it is asked for something. */
    call.page_faults = 1;
    assert_int_equal(worst_cause(&call), CAUSE_ANY_LOCK);
    call = absent(ABSENCE_SLEPT, 300);
    call.system_calls = WORST_UNKNOWN;
    assert_int_equal(worst_cause(&call), CAUSE_ANY_LOCK);
    call = absent(ABSENCE_TAKEN, 300);
    assert_int_equal(worst_cause(&call), CAUSE_TAKEN);
    call = absent(ABSENCE_NONE, 300);
    assert_int_equal(worst_cause(&call), CAUSE_OTHERS);
    call.among_others = false;
    assert_int_equal(worst_cause(&call), CAUSE_DISTURBED);
    /* As slow again: then that is not why. */
    call = absent(ABSENCE_TAKEN, 70000);
    assert_int_equal(worst_cause(&call), CAUSE_ALLOCATOR);
    call = absent(ABSENCE_NONE, 300);
    call.absence_told = false;
    assert_string_equal(worst_core(&call), "");
}

static void what_was_not_seen_is_not_concluded(void **state)
{
    (void)state;
    struct worst_call call = seen(80000, WORST_UNKNOWN, WORST_UNKNOWN);
    call.system_calls = WORST_UNKNOWN;
    assert_int_equal(worst_cause(&call), CAUSE_UNKNOWN);
    call.again_ns = 70000;
    assert_int_equal(worst_cause(&call), CAUSE_UNKNOWN);
    call.again_ns = 100;
    assert_int_equal(worst_cause(&call), CAUSE_DISTURBED);
    /* Half a microsecond is within what caches do. */
    call = seen(600, 100, 0);
    assert_int_equal(worst_cause(&call), CAUSE_ALLOCATOR);
}

static void the_slowest_of_its_own_is_the_quicker_of_two_times(void **state)
{
    (void)state;
    struct worst worst = {.count = 3,
                          .calls = {seen(9000, 50, 0), seen(800, 900, 0), seen(700, 40, 0)}};
    assert_int_equal(worst_own_ns(&worst), 800);
    worst.calls[1].again_ns = WORST_UNKNOWN;
    assert_int_equal(worst_own_ns(&worst), WORST_UNKNOWN);
    /* A lock is the allocator's own. */
    worst.calls[1] = seen(800, 900, 0);
    worst.calls[0].absence = ABSENCE_SLEPT;
    worst.calls[0].absence_told = true;
    assert_int_equal(worst_own_ns(&worst), 9000);
    worst = (struct worst){0};
    assert_int_equal(worst_own_ns(&worst), WORST_UNKNOWN);
    /* All that were kept were disturbed: a slower one may have been dropped. */
    for (uint64_t i = 0; i < WORST_CALLS; i++)
        offer(&worst, 5000 + i, i);
    for (size_t i = 0; i < WORST_CALLS; i++)
        worst.calls[i].again_ns = 4000;
    assert_int_equal(worst_own_ns(&worst), WORST_UNKNOWN);
    worst.calls[7].again_ns = 5000;
    assert_int_equal(worst_own_ns(&worst), 5000);
}

static void system_calls_are_counted_by_number(void **state)
{
    (void)state;
    struct worst_call call = seen(1, 1, 0);
    for (uint32_t i = 0; i < 30; i++)
        worst_note_system_call(&call, i % 10);
    assert_int_equal(call.system_calls, 30);
    for (uint32_t i = 0; i < WORST_SYSTEM_CALLS; i++) {
        assert_int_equal(call.numbers[i].number, i);
        assert_int_equal(call.numbers[i].count, 3);
    }
    assert_string_equal(system_call_name(SYS_madvise), "madvise");
    assert_null(system_call_name(100000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slowest_are_kept),
        cmocka_unit_test(few_calls_are_all_kept_in_both_orders),
        cmocka_unit_test(causes_follow_from_what_was_seen),
        cmocka_unit_test(what_the_thread_did_meanwhile_is_a_cause),
        cmocka_unit_test(what_was_not_seen_is_not_concluded),
        cmocka_unit_test(the_slowest_of_its_own_is_the_quicker_of_two_times),
        cmocka_unit_test(system_calls_are_counted_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
