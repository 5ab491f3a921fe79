/* Absences: what the mark tells beside what the kernel counts. */
#include "harness/measure/absence.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

#include "harness/base/clock.h"
#include "tests/unit.h"

enum { MILLISECOND = 1000000 };

static uint64_t switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw;
}

static int with_marks(void **state)
{
    (void)state;
    if (!absence_is_told())
        skip();
    return 0;
}

static int with_kinds(void **state)
{
    struct absence absence = {.switches = NULL};
    absence_open(&absence);
    bool told = absence.switches;
    absence_close(&absence);
    if (!told)
        skip();
    return with_marks(state);
}

static void a_thread_that_slept_is_told(void **state)
{
    (void)state;
    static const struct timespec nap = {.tv_nsec = MILLISECOND};
    struct absence absence = {.switches = NULL};
    absence_open(&absence);
    volatile uint64_t *mark = absence_mark(&absence);
    absence_look(&absence, mark);
    for (int i = 0; i < 3; i++) {
        nanosleep(&nap, NULL);
        assert_true(*mark != absence_here());
        assert_int_equal(absence_look(&absence, mark), ABSENCE_SLEPT);
    }
    absence_close(&absence);
    nanosleep(&nap, NULL);
    assert_int_equal(absence_look(&absence, mark), ABSENCE_SOME);
}

/* More than are written down between two looks. */
static void what_came_after_too_many_absences_is_told_again(void **state)
{
    (void)state;
    static const struct timespec nap = {.tv_nsec = 1};
    struct absence absence = {.switches = NULL};
    absence_open(&absence);
    volatile uint64_t *mark = absence_mark(&absence);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 600; i++)
            nanosleep(&nap, NULL);
        assert_int_equal(absence_look(&absence, mark), ABSENCE_SLEPT);
        nanosleep(&nap, NULL);
        assert_int_equal(absence_look(&absence, mark), ABSENCE_SLEPT);
        assert_int_not_equal(absence_look(&absence, mark), ABSENCE_SLEPT);
    }
    absence_close(&absence);
}

/* Of many stretches of work some are not interrupted. */
static void a_thread_that_kept_its_core_has_its_mark(void **state)
{
    (void)state;
    struct absence absence = {.switches = NULL};
    absence_open(&absence);
    volatile uint64_t *mark = absence_mark(&absence);
    size_t kept = 0;
    for (int i = 0; i < 2000; i++) {
        absence_look(&absence, mark);
        uint64_t before = switches();
        uint64_t end_ns = clock_ns() + MILLISECOND / 100;
        while (clock_ns() < end_ns)
            continue;
        bool there = *mark == absence_here();
        bool still = switches() == before;
        /* A move to another core takes the mark too. */
        assert_false(there && !still && *mark == absence_here());
        kept += there && still;
    }
    assert_true(kept > 0);
}

struct rival {
    atomic_bool end;
    cpu_set_t core;
};

static void *take_the_core(void *arg)
{
    struct rival *rival = arg;
    sched_setaffinity(0, sizeof rival->core, &rival->core);
    while (!atomic_load_explicit(&rival->end, memory_order_relaxed))
        continue;
    return NULL;
}

static void a_core_that_was_taken_is_told_from_sleep(void **state)
{
    (void)state;
    struct rival rival = {.end = false};
    cpu_set_t before;
    pthread_t thread;
    sched_getaffinity(0, sizeof before, &before);
    CPU_ZERO(&rival.core);
    CPU_SET((size_t)sched_getcpu(), &rival.core);
    sched_setaffinity(0, sizeof rival.core, &rival.core);
    assert_int_equal(pthread_create(&thread, NULL, take_the_core, &rival), 0);
    struct absence absence = {.switches = NULL};
    absence_open(&absence);
    volatile uint64_t *mark = absence_mark(&absence);
    absence_look(&absence, mark);
    for (int i = 0; i < 3; i++) {
        while (*mark == absence_here())
            continue;
        assert_int_equal(absence_look(&absence, mark), ABSENCE_TAKEN);
    }
    atomic_store(&rival.end, true);
    pthread_join(thread, NULL);
    sched_setaffinity(0, sizeof before, &before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_thread_that_slept_is_told, with_kinds),
        cmocka_unit_test_setup(what_came_after_too_many_absences_is_told_again, with_kinds),
        cmocka_unit_test_setup(a_thread_that_kept_its_core_has_its_mark, with_marks),
        cmocka_unit_test_setup(a_core_that_was_taken_is_told_from_sleep, with_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
