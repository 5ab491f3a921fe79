/* Which replay stands for a repetition, and in which order the cells take their turns. */
#include "harness/turns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

static void a_repetition_replays_enough(void **state)
{
    (void)state;
    assert_int_equal(turns_of(PASS_THROUGHPUT, 0, TURNS_AS_NEEDED), TURNS_MOST);
    assert_int_equal(turns_of(PASS_THROUGHPUT, 100, TURNS_AS_NEEDED), TURNS_MOST);
    assert_int_equal(turns_of(PASS_THROUGHPUT, TURNS_OPERATIONS / 4, TURNS_AS_NEEDED), 4);
    assert_int_equal(turns_of(PASS_THROUGHPUT, TURNS_OPERATIONS / 4 + 1, TURNS_AS_NEEDED), 4);
    assert_int_equal(turns_of(PASS_THROUGHPUT, TURNS_OPERATIONS / 4 - 1, TURNS_AS_NEEDED), 5);
    assert_int_equal(turns_of(PASS_THROUGHPUT, TURNS_OPERATIONS, TURNS_AS_NEEDED), 1);
    assert_int_equal(turns_of(PASS_THROUGHPUT, UINT64_MAX / 2, TURNS_AS_NEEDED), 1);
    assert_int_equal(turns_of(PASS_LATENCY, 100, TURNS_AS_NEEDED), 1);
    assert_int_equal(turns_of(PASS_THROUGHPUT, 100, 3), 3);
    assert_int_equal(turns_of(PASS_THROUGHPUT, UINT64_MAX / 2, 3), 3);
    assert_int_equal(turns_of(PASS_LATENCY, 100, 3), 1);
    assert_int_equal(turns_of(PASS_MEMORY, 100, TURNS_AS_NEEDED), 1);
}

static void the_order_turns_about(void **state)
{
    (void)state;
    struct turns turns;
    turns_init(&turns, 3, 2);
    for (size_t place = 0; place < 3; place++) {
        assert_int_equal(turns_cell(&turns, 0, place), place);
        assert_int_equal(turns_cell(&turns, 1, place), 2 - place);
    }
    turns_release(&turns);
}

static const struct cell_result *take(struct turns *turns, size_t cell, double ns,
                                      const char *status)
{
    struct cell_result *result = turns_next(turns, cell);
    assert_non_null(result);
    cell_result_clear(result);
    result->ns_per_op = ns;
    result->page_faults = (uint64_t)ns * 10;
    snprintf(result->status, sizeof result->status, "%s", status);
    return turns_take(turns, cell);
}

/* One cell's times, and the one of them that is kept. */
static double kept(const double *times, unsigned count)
{
    struct turns turns;
    const struct cell_result *chosen = NULL;
    turns_init(&turns, 2, count);
    for (unsigned i = 0; i < count; i++) {
        assert_null(chosen);
        chosen = take(&turns, 1, times[i], "ok");
    }
    assert_non_null(chosen);
    assert_int_equal(chosen->turns, count);
    assert_int_equal(chosen->page_faults, (uint64_t)chosen->ns_per_op * 10);
    assert_null(turns_next(&turns, 1));
    assert_non_null(turns_next(&turns, 0));
    double ns = chosen->ns_per_op;
    turns_release(&turns);
    return ns;
}

static void the_lower_quartile_is_kept(void **state)
{
    (void)state;
    static const double times[] = {7, 3, 8, 1, 5, 6, 2, 4};
    assert_true(kept(times, 8) == 2);
    assert_true(kept(times, 5) == 3);
    assert_true(kept(times, 4) == 1);
    assert_true(kept(times, 3) == 3);
    assert_true(kept(times, 1) == 7);
}

static void a_failure_ends_the_turns(void **state)
{
    (void)state;
    struct turns turns;
    turns_init(&turns, 1, 8);
    assert_null(take(&turns, 0, 4, "ok"));
    assert_null(take(&turns, 0, 3, "ok"));
    const struct cell_result *chosen = take(&turns, 0, NAN, "crashed");
    assert_non_null(chosen);
    assert_string_equal(chosen->status, "crashed");
    assert_int_equal(chosen->turns, 3);
    assert_null(turns_next(&turns, 0));
    turns_release(&turns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repetition_replays_enough),
        cmocka_unit_test(the_order_turns_about),
        cmocka_unit_test(the_lower_quartile_is_kept),
        cmocka_unit_test(a_failure_ends_the_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
