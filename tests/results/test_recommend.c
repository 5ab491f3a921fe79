/* What would help: on cells made by hand, whose answer is known. */
#include <stdlib.h>
#include <string.h>

#include "results/answer.h"
#include "results/table.h"
#include "tests/results/support/run.h"
#include "tests/unit.h"

enum { REPEAT = 6, MOST = 4 };

/* An allocator: the times of its repetitions are around `ns`, by turns `sway` above and below. */
struct made {
    const char *spec;
    double ns, sway;
    uint64_t peak_kib;
};

static void make(struct store *store, const struct made *made)
{
    double times[REPEAT];
    for (int i = 0; i < REPEAT; i++)
        times[i] = made->ns + (i % 2 ? made->sway : -made->sway);
    run_throughput(store, made->spec, times, REPEAT);
    struct cell_result latency, memory = run_cell(made->spec, "memory", 0);
    for (uint64_t i = 0; i < REPEAT; i++) {
        latency = run_cell(made->spec, "latency", i);
        run_append(store, &latency);
    }
    memory.peak_rss_bytes = made->peak_kib << 10;
    memory.peak_live_bytes = 1000 << 10;
    run_append(store, &memory);
}

/* The advice on them, the first being the base. */
static void advise(const struct made *made, size_t count, const char *advised, const char *further,
                   const char *says)
{
    char folder[RUN_FOLDER], lines[RECOMMEND_SENTENCES][RECOMMEND_TEXT];
    const char *specs[MOST + 1] = {NULL};
    for (size_t i = 0; i < count; i++)
        specs[i] = made[i].spec;
    struct store *store = run_begin(folder, specs, REPEAT);
    make(store, &(struct made){"null", 2, 0, 10});
    for (size_t i = 0; i < count; i++)
        make(store, &made[i]);
    size_t rows_count;
    struct row *rows = table_rows(store, &rows_count);
    struct recommendation recommendation;
    recommend_rows(&recommendation, store, rows, rows_count);
    assert_string_equal(recommendation.base->row->allocator, made->spec);
    const struct offer *got = recommendation.advised, *more = recommendation.further;
    assert_string_equal(got ? got->row->allocator : "", advised);
    assert_string_equal(more ? more->row->allocator : "", further);
    recommend_words(&recommendation, store, lines);
    if (!strstr(lines[0], says))
        fail_msg("'%s' does not say '%s'", lines[0], says);
    assert_non_null(strstr(lines[2], "Seen on the trace perl"));
    assert_non_null(strstr(lines[3], "null (not an allocator for use)"));
    recommend_release(&recommendation);
    free(rows);
    run_end(store, folder);
}

static void the_smallest_without_loss_is_advised(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0.2, 2000},
                                {"same-time", 10, 0.2, 1600},
                                {"a-little", 10, 0.2, 1850},
                                {"dear", 15, 0.2, 1200}};
    advise(made, 4, "same-time", "dear",
           "same-time takes 1.56 MiB at the peak where system takes 1.95 MiB, 20 % less, with no "
           "difference in time shown");
}

static void a_price_is_named(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 2000}, {"dear", 12, 0, 1200}};
    advise(made, 2, "dear", "", "40 % less, for 20.0 % more time (ratio 1.200 [1.200, 1.200])");
}

static void less_than_chance_is_no_help(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 2000}, {"near", 8, 0, 1910}};
    advise(
        made, 2, "", "",
        "Nothing here helps: the smallest of the others, near, takes 4.5 % less at the peak than "
        "system, which is not told from chance. 50 % of the peak of system is live "
        "payload: no allocator could save more than 50 %");
}

static void full_of_payload_nothing_can_help(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 1030}, {"larger", 8, 0, 1200}};
    advise(made, 2, "", "",
           "97 % of the peak of system is live payload: no allocator could save "
           "more than 3 %.");
}

static void noise_is_no_price(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 2000}, {"wild", 10, 2, 1000}};
    advise(made, 2, "", "", "Nothing is advised yet: wild takes 50 % less");
}

static void without_system_the_fastest_is_the_base(void **state)
{
    (void)state;
    const struct made made[] = {{"quick", 10, 0, 2000}, {"slow", 20, 0, 1000}};
    advise(made, 2, "slow", "", "slow takes 1000 KiB at the peak where quick takes 1.95 MiB");
}

static void faster_and_smaller_is_on_the_front_alone(void **state)
{
    (void)state;
    struct row rows[3];
    const double ns[] = {10, 8, 9};
    const uint64_t bytes[] = {2000, 1000, 1500};
    static const char *const specs[] = {"system", "best", "between"};
    struct offer offers[3];
    for (int i = 0; i < 3; i++) {
        row_clear(&rows[i]);
        strcpy(rows[i].allocator, specs[i]);
        strcpy(rows[i].status, "ok");
        rows[i].ns_per_op = ns[i];
        rows[i].peak_rss_bytes = bytes[i];
        double ratio = ns[i] / 10;
        offers[i] = (struct offer){.row = &rows[i], .time = {ratio, ratio, ratio, false}};
    }
    struct recommendation all = {.offers = offers, .count = 3};
    recommend_judge(&all);
    assert_ptr_equal(all.advised, &offers[1]);
    assert_null(all.further);
    assert_true(offers[1].on_front && !offers[0].on_front && !offers[2].on_front);
    strcpy(offers[1].doubt, "crashed");
    recommend_judge(&all);
    assert_ptr_equal(all.advised, &offers[2]);
    assert_true(offers[2].on_front && !offers[1].on_front);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_without_loss_is_advised),
        cmocka_unit_test(a_price_is_named),
        cmocka_unit_test(less_than_chance_is_no_help),
        cmocka_unit_test(full_of_payload_nothing_can_help),
        cmocka_unit_test(noise_is_no_price),
        cmocka_unit_test(without_system_the_fastest_is_the_base),
        cmocka_unit_test(faster_and_smaller_is_on_the_front_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
