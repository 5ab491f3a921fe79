/* Who won, in words: never surer than the figures are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plots/summary.h"
#include "tests/unit.h"

static struct row row_of(const char *trace, const char *allocator, double ns, double relative,
                         double low, double high, uint64_t rss)
{
    struct row row;
    row_clear(&row);
    snprintf(row.trace, sizeof row.trace, "%s", trace);
    snprintf(row.allocator, sizeof row.allocator, "%s", allocator);
    strcpy(row.status, "ok");
    row.real = strcmp(allocator, "null") != 0;
    row.ns_per_op = ns;
    row.relative = relative;
    row.relative_low = low;
    row.relative_high = high;
    row.peak_rss_bytes = rss;
    row.rss_over_live = (double)rss / (1 << 20);
    row.repetitions = 7;
    return row;
}

static void a_clear_winner_is_named_with_the_interval(void **state)
{
    (void)state;
    char lines[SUMMARY_LINES][SUMMARY_TEXT];
    const struct row rows[] = {
        row_of("t", "null", 2, 0.2, 0.2, 0.2, 1 << 18),
        row_of("t", "system", 20, 2, 1.9, 2.1, 3 << 20),
        row_of("t", "quick", 10, 1, 1, 1, 6 << 20),
    };
    summary_of_trace(rows, 3, lines);
    assert_string_equal(lines[0], "Fastest: quick with 10.0 ns an operation; next "
                                  "system, 2.00 times as long [1.90, 2.10].");
    assert_string_equal(lines[1],
                        "Smallest: system with 3.00 MiB resident at the peak, 3.00 times "
                        "the most ever live; next quick with 6.00 MiB. Memory is measured once.");
    assert_string_equal(lines[2],
                        "Front: no other is at once faster and smaller than system, quick.");
    assert_string_equal(lines[3], "");
    assert_string_equal(lines[4], "");
}

static void no_difference_is_said_to_be_none(void **state)
{
    (void)state;
    char lines[SUMMARY_LINES][SUMMARY_TEXT];
    const struct row rows[] = {
        row_of("t", "a", 10, 1, 1, 1, 1 << 20),
        row_of("t", "b", 10.2, 1.02, 0.98, 1.05, 1 << 20),
    };
    summary_of_trace(rows, 2, lines);
    assert_string_equal(lines[0], "Fastest: a with 10.0 ns an operation; no "
                                  "difference shown to b (1.02 [0.98, 1.05]).");
}

static void one_measurement_is_called_that(void **state)
{
    (void)state;
    char lines[SUMMARY_LINES][SUMMARY_TEXT];
    struct row rows[] = {
        row_of("t", "a", 10, 1, REAL_UNKNOWN, REAL_UNKNOWN, 1 << 20),
        row_of("t", "b", 11, 1.1, REAL_UNKNOWN, REAL_UNKNOWN, 2 << 20),
    };
    rows[0].repetitions = rows[1].repetitions = 1;
    summary_of_trace(rows, 2, lines);
    assert_non_null(strstr(lines[0], "Measured once"));
    assert_null(strstr(lines[0], "no difference shown"));
}

static void what_failed_does_not_win_and_is_named(void **state)
{
    (void)state;
    char lines[SUMMARY_LINES][SUMMARY_TEXT];
    struct row rows[] = {
        row_of("t", "wrong", 1, 0.1, 0.1, 0.1, 1),
        row_of("t", "right", 10, 1, 1, 1, 2 << 20),
    };
    strcpy(rows[0].status, "crashed");
    summary_of_trace(rows, 2, lines);
    assert_non_null(strstr(lines[0], "Fastest: right"));
    assert_non_null(strstr(lines[1], "Smallest: right"));
    assert_string_equal(lines[4], "Without a full result: wrong (crashed).");
}

static void a_run_that_only_verified_tells_who_is_sound(void **state)
{
    (void)state;
    char lines[SUMMARY_LINES][SUMMARY_TEXT];
    struct row rows[4];
    static const char *const names[] = {"null", "system", "wrong", "buddy"};
    for (int i = 0; i < 4; i++)
        rows[i] = row_of("t", names[i], REAL_UNKNOWN, REAL_UNKNOWN, REAL_UNKNOWN, REAL_UNKNOWN,
                         COUNT_UNKNOWN);
    rows[1].faults_found = rows[3].faults_found = 0;
    rows[2].faults_found = 1;
    strcpy(rows[0].status, "skipped: not a real allocator");
    strcpy(rows[2].status, "failed: 1 of 9 blocks were wrong");
    summary_of_trace(rows, 4, lines);
    assert_string_equal(lines[3],
                        "Verified: the blocks of system, buddy were aligned, lay apart and "
                        "kept what was written to them.");
    assert_string_equal(lines[4],
                        "Without a full result: wrong (failed: 1 of 9 blocks were wrong).");
}

static void what_never_frees_wins_nothing(void **state)
{
    (void)state;
    char lines[SUMMARY_LINES][SUMMARY_TEXT];
    struct row rows[] = {
        row_of("t", "bump", 9, 0.9, 0.9, 0.9, 1 << 20),
        row_of("t", "right", 10, 1, 1, 1, 2 << 20),
        row_of("t", "other", 20, 2, 2, 2, 3 << 20),
    };
    rows[0].frees = 0;
    summary_of_trace(rows, 3, lines);
    for (int i = 0; i < SUMMARY_LINES; i++)
        assert_null(strstr(lines[i], "bump"));
    assert_non_null(strstr(lines[0], "Fastest: right"));
    assert_non_null(strstr(lines[1], "Smallest: right"));
    size_t count;
    struct summary_total *totals = summary_totals(rows, 3, &count);
    assert_int_equal(count, 3);
    assert_string_equal(totals[0].allocator, "bump");
    assert_int_equal(totals[0].fastest + totals[0].smallest, 0);
    assert_float_equal(totals[0].relative, 0.9, 1e-9);
    free(totals);
    summary_of_trace(rows, 1, lines);
    assert_string_equal(lines[0],
                        "There is nothing to compare: no allocator did the whole work and "
                        "was measured.");
}

static void totals_are_geometric_means(void **state)
{
    (void)state;
    const struct row rows[] = {
        row_of("t", "a", 10, 1, 1, 1, 1 << 20),
        row_of("t", "b", 40, 4, 4, 4, 1 << 21),
        row_of("u", "a", 10, 1, 1, 1, 1 << 22),
        row_of("u", "b", 90, 9, 9, 9, 1 << 21),
    };
    size_t count;
    struct summary_total *totals = summary_totals(rows, 4, &count);
    assert_int_equal(count, 2);
    assert_string_equal(totals[1].allocator, "b");
    assert_float_equal(totals[1].relative, 6, 1e-9);
    assert_float_equal(totals[0].over_live, 2, 1e-9);
    assert_int_equal(totals[0].fastest, 2);
    assert_int_equal(totals[0].smallest, 1);
    assert_int_equal(totals[1].smallest, 1);
    free(totals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clear_winner_is_named_with_the_interval),
        cmocka_unit_test(no_difference_is_said_to_be_none),
        cmocka_unit_test(one_measurement_is_called_that),
        cmocka_unit_test(what_failed_does_not_win_and_is_named),
        cmocka_unit_test(a_run_that_only_verified_tells_who_is_sound),
        cmocka_unit_test(what_never_frees_wins_nothing),
        cmocka_unit_test(totals_are_geometric_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
