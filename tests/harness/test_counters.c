/* The counters: with events that every kernel has in place of the processor's, and with a unit that
 * is as a test wants it. */
#include "harness/measure/counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/harness/programs/pmu.h"
#include "tests/unit.h"

enum { FAULTS = 300, PAGE = 4096 };

static const struct counter_event some[COUNTERS] = {
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
    {PERF_TYPE_SOFTWARE, UINT32_MAX}, /* there is no such event */
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN},
};

static void fault(size_t pages)
{
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    madvise(at, pages * PAGE, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < pages; i++)
        at[i * PAGE] = 1;
    munmap(at, pages * PAGE);
}

static void only_what_is_between_start_and_stop_counts(void **state)
{
    (void)state;
    struct counters counters;
    uint64_t counts[COUNTERS];
    counters_open(&counters, some);
    if (strncmp(counters.state, "not available", 13) == 0)
        skip();
    fault(FAULTS);
    for (int i = 0; i < 2; i++) {
        counters_start(&counters);
        fault(FAULTS);
        counters_stop(&counters);
        fault(FAULTS);
    }
    counters_read(&counters, counts);
    counters_close(&counters);
    assert_in_range(counts[0], 2 * FAULTS, 2 * FAULTS + 50);
    assert_int_equal(counts[0], counts[3]);
    assert_true(counts[1] > 0 && counts[1] != UINT64_MAX);
    assert_true(counts[2] == UINT64_MAX);
}

static void a_machine_without_counters_says_so(void **state)
{
    (void)state;
    static const struct counter_event none[COUNTERS] = {
        {PERF_TYPE_SOFTWARE, UINT32_MAX},
        {PERF_TYPE_SOFTWARE, UINT32_MAX},
        {PERF_TYPE_SOFTWARE, UINT32_MAX},
        {PERF_TYPE_SOFTWARE, UINT32_MAX},
    };
    struct counters counters;
    uint64_t counts[COUNTERS];
    counters_open(&counters, none);
    counters_start(&counters);
    counters_stop(&counters);
    counters_read(&counters, counts);
    counters_close(&counters);
    assert_memory_equal(counters.state, "not available: ", 15);
    assert_true(strlen(counters.state) > 15);
    for (size_t i = 0; i < COUNTERS; i++)
        assert_true(counts[i] == UINT64_MAX);
}

static int end_unit(void **state)
{
    (void)state;
    pmu = (struct pmu){0};
    return 0;
}

static void read_stretches(struct counters *counters, size_t stretches, uint64_t counts[COUNTERS])
{
    for (size_t i = 0; i < stretches; i++) {
        counters_start(counters);
        counters_stop(counters);
    }
    counters_read(counters, counts);
}

static void all_four_are_read_and_told_apart(void **state)
{
    (void)state;
    struct counters counters;
    uint64_t counts[COUNTERS];
    pmu = (struct pmu){.present = true, .on_unit = PMU_STRETCH, .nothing = 10, .work = 5000};
    counters_open(&counters, counter_events);
    assert_string_equal(counters.state, "user and kernel");
    assert_int_equal(pmu.opened, COUNTERS);
    read_stretches(&counters, 4, counts);
    for (size_t i = 0; i < COUNTERS; i++)
        assert_int_equal(counts[i], 4 * 10 + 3 * (i + 1) * 5000);
    assert_string_equal(counters_verdict(&counters, counts), "user and kernel");
}

/* On the unit for a third of the time, or for a thousandth: what was seen stands for all. */
static void what_took_turns_is_scaled_up(void **state)
{
    (void)state;
    static const unsigned shares[] = {333, 500, 1, 999};
    for (size_t share = 0; share < sizeof shares / sizeof *shares; share++) {
        struct counters counters;
        uint64_t counts[COUNTERS];
        pmu = (struct pmu){.present = true, .on_unit = shares[share], .work = 12000000};
        counters_open(&counters, counter_events);
        read_stretches(&counters, 3, counts);
        for (size_t i = 0; i < COUNTERS; i++)
            assert_in_range(counts[i], 2 * (i + 1) * 12000000 - 1000, 2 * (i + 1) * 12000000);
    }
}

static void an_event_that_is_missing_leaves_the_others(void **state)
{
    (void)state;
    struct counters counters;
    uint64_t counts[COUNTERS];
    pmu = (struct pmu){.present = true, .on_unit = PMU_STRETCH, .work = 7};
    /* The first, with which the others start and stop, and one more. */
    pmu.refusal[COUNTER_CYCLES] = pmu.refusal[COUNTER_TLB_MISSES] = ENOENT;
    counters_open(&counters, counter_events);
    read_stretches(&counters, 2, counts);
    assert_true(counts[COUNTER_CYCLES] == UINT64_MAX && counts[COUNTER_TLB_MISSES] == UINT64_MAX);
    assert_int_equal(counts[COUNTER_INSTRUCTIONS], 2 * 7);
    assert_int_equal(counts[COUNTER_CACHE_MISSES], 3 * 7);
    assert_string_equal(counters_verdict(&counters, counts), "user and kernel");
}

static void a_kernel_that_is_not_to_be_counted_is_left_out(void **state)
{
    (void)state;
    static const int refusals[] = {EACCES, EPERM};
    for (size_t i = 0; i < 2; i++) {
        struct counters counters;
        uint64_t counts[COUNTERS];
        pmu = (struct pmu){.present = true, .on_unit = PMU_STRETCH, .work = 7};
        pmu.kernel_refusal = refusals[i];
        counters_open(&counters, counter_events);
        assert_string_equal(counters.state, "user only");
        read_stretches(&counters, 2, counts);
        assert_int_equal(counts[COUNTER_CYCLES], 7);
    }
}

static void each_refusal_names_its_remedy(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *remedy;
    } refusals[] = {
        {ENOENT, "a virtual one, that has a performance monitoring unit"},
        {ENODEV, "a virtual one, that has a performance monitoring unit"},
        {EOPNOTSUPP, "a virtual one, that has a performance monitoring unit"},
        {ENOSYS, "CONFIG_PERF_EVENTS"},
        {EACCES, "'sysctl kernel.perf_event_paranoid=2' as root"},
        {EPERM, "CAP_PERFMON"},
        {EMFILE, "Too many open files"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct counters counters;
        uint64_t counts[COUNTERS];
        pmu = (struct pmu){.present = true};
        for (size_t event = 0; event < COUNTERS; event++)
            pmu.refusal[event] = refusals[i].code;
        counters_open(&counters, counter_events);
        read_stretches(&counters, 2, counts);
        const char *verdict = counters_verdict(&counters, counts);
        assert_memory_equal(verdict, "not available: ", 15);
        assert_non_null(strstr(verdict, refusals[i].remedy));
        assert_true(strlen(verdict) < COUNTERS_STATE - 1);
        assert_true(counts[0] == UINT64_MAX);
    }
}

static void a_unit_that_others_have_is_not_zero(void **state)
{
    (void)state;
    struct counters counters;
    uint64_t counts[COUNTERS];
    pmu = (struct pmu){.present = true, .on_unit = 0, .work = 7};
    counters_open(&counters, counter_events);
    read_stretches(&counters, 2, counts);
    for (size_t i = 0; i < COUNTERS; i++)
        assert_true(counts[i] == UINT64_MAX);
    assert_non_null(strstr(counters_verdict(&counters, counts), "kernel.nmi_watchdog=0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_between_start_and_stop_counts),
        cmocka_unit_test(a_machine_without_counters_says_so),
        cmocka_unit_test_teardown(all_four_are_read_and_told_apart, end_unit),
        cmocka_unit_test_teardown(what_took_turns_is_scaled_up, end_unit),
        cmocka_unit_test_teardown(an_event_that_is_missing_leaves_the_others, end_unit),
        cmocka_unit_test_teardown(a_kernel_that_is_not_to_be_counted_is_left_out, end_unit),
        cmocka_unit_test_teardown(each_refusal_names_its_remedy, end_unit),
        cmocka_unit_test_teardown(a_unit_that_others_have_is_not_zero, end_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
