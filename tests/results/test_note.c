/* What is said beside a table. */
#include "results/note.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

static char said[2048];

static void hear(void *arg, const char *subject, const char *text)
{
    size_t used = strlen(said);
    (void)arg;
    snprintf(said + used, sizeof said - used, "%s: %s\n", subject, text);
}

static struct row row_of(const char *allocator, const char *status, const char *detail)
{
    struct row row = {.clock_cost_ns = NAN, .threads_recorded = COUNT_UNKNOWN};
    snprintf(row.allocator, sizeof row.allocator, "%s", allocator);
    snprintf(row.status, sizeof row.status, "%s", status);
    snprintf(row.detail, sizeof row.detail, "%s", detail);
    return row;
}

static void what_holds_for_several_is_said_once(void **state)
{
    (void)state;
    const struct row rows[] = {
        row_of("null", "skipped: not real", "together"),
        row_of("a", "ok", "alone; together"),
        row_of("b", "ok", "together"),
        row_of("c", "ok", "together"),
        row_of("d", "ok", "two; together"),
        row_of("e", "ok", "two; together again"),
    };
    said[0] = '\0';
    note_each(rows, 6, hear, NULL);
    assert_string_equal(said, "null: skipped: not real: together\n"
                              "a: alone\n"
                              "d: two\n"
                              "e: two; together again\n"
                              "4 of 6 allocators: together\n");
}

static void a_share_that_is_the_same_for_all_is_no_range(void **state)
{
    (void)state;
    struct row rows[2] = {row_of("a", "ok", ""), row_of("b", "ok", "")};
    for (int i = 0; i < 2; i++) {
        rows[i].threads_recorded = rows[i].threads_replayed = 2;
        rows[i].processes_replayed = 1;
        rows[i].wait_share = 0.628 + 0.001 * i;
    }
    said[0] = '\0';
    note_each(rows, 2, hear, NULL);
    assert_string_equal(said,
                        "threads: 2 in the trace, 2 in the replay, where 63 % of their time was "
                        "waiting for one another's blocks (wait_share)\n");
    rows[1].wait_share = 0.7;
    said[0] = '\0';
    note_each(rows, 2, hear, NULL);
    assert_non_null(strstr(said, "where 63 to 70 % of their time"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_for_several_is_said_once),
        cmocka_unit_test(a_share_that_is_the_same_for_all_is_no_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
