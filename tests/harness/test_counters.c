/* The counters, with events that every kernel has in place of the processor's. */
#include "harness/measure/counters.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_between_start_and_stop_counts),
        cmocka_unit_test(a_machine_without_counters_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
