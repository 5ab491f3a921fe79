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
    uint64_t peak_kib; /* 0: not measured */
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
    memory.peak_rss_bytes = made->peak_kib ? made->peak_kib << 10 : COUNT_UNKNOWN;
    memory.peak_live_bytes = 1000 << 10;
    run_append(store, &memory);
}

/* What is expected of them, the first being the base; "" where nothing may be named. */
struct advice {
    const char *advised, *time, *memory;
    int line;         /* of recommend_words */
    const char *says; /* in that line */
};

static void assert_named(const struct offer *offer, const char *expected)
{
    assert_string_equal(offer ? offer->row->allocator : "", expected);
}

static void advise(const struct made *made, size_t count, const struct advice *advice)
{
    char folder[RUN_FOLDER], lines[RECOMMEND_SENTENCES][RECOMMEND_TEXT];
    const char *specs[MOST + 1] = {NULL};
    for (size_t i = 0; i < count; i++)
        specs[i] = made[i].spec;
    struct store *store = run_begin(folder, specs, REPEAT);
    make(store, &(struct made){"null", 2, 0, made->peak_kib ? 10 : 0});
    for (size_t i = 0; i < count; i++)
        make(store, &made[i]);
    size_t rows_count;
    struct row *rows = table_rows(store, &rows_count);
    struct recommendation recommendation;
    recommend_rows(&recommendation, store, rows, rows_count);
    assert_named(recommendation.base, made->spec);
    assert_named(recommendation.advised, advice->advised);
    assert_named(recommendation.time, advice->time);
    assert_named(recommendation.memory, advice->memory);
    recommend_words(&recommendation, store, lines);
    if (!strstr(lines[advice->line], advice->says))
        fail_msg("'%s' does not say '%s'", lines[advice->line], advice->says);
    assert_non_null(strstr(lines[3], "Seen on the trace perl"));
    assert_non_null(strstr(lines[4], "null (not an allocator for use)"));
    recommend_release(&recommendation);
    free(rows);
    run_end(store, folder);
}

static void what_is_better_in_both_comes_first(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 2000},
                                {"both", 8, 0, 1640},
                                {"lean", 16, 0, 1500},
                                {"quick", 5, 0, 4000}};
    advise(made, 4,
           &(struct advice){"both", "quick", "lean", 0,
                            "Better in both: against system, both takes 20 % less time (ratio 0.80 "
                            "[0.80, 0.80]) and 18 % less memory (1.60 MiB at the peak against 1.95 "
                            "MiB)."});
    advise(made, 4,
           &(struct advice){"both", "quick", "lean", 1,
                            "For time: against system, quick takes 50 % less time (ratio 0.50 "
                            "[0.50, 0.50]) for 2.0 times the memory (3.91 MiB at the peak against "
                            "1.95 MiB)."});
    advise(made, 4,
           &(struct advice){"both", "quick", "lean", 2,
                            "For memory: against system, lean takes 25 % less memory (1.46 MiB at "
                            "the peak against 1.95 MiB) for 60 % more time (ratio 1.60 [1.60, "
                            "1.60])."});
}

static void without_a_memory_pass_the_fastest_is_named(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 0}, {"other", 9, 0, 0}, {"quick", 5, 0, 0}};
    advise(made, 3,
           &(struct advice){"", "quick", "", 1,
                            "For time: against system, quick takes 50 % less time (ratio 0.50 "
                            "[0.50, 0.50]); its price in memory was not measured (-p memory)."});
    advise(made, 3,
           &(struct advice){"", "quick", "", 3, "6 repetitions of the time, memory not measured"});
    const struct made same[] = {{"system", 10, 0, 0}, {"other", 10, 0, 0}};
    advise(same, 2,
           &(struct advice){"", "", "", 0,
                            "Nothing here helps: none is shown to take 5 % less time than system, "
                            "and memory was not measured (-p memory)."});
}

static void in_brief_the_gain_comes_first(void **state)
{
    (void)state;
    struct row rows[2];
    struct offer offers[2];
    char text[RECOMMEND_TEXT];
    for (int i = 0; i < 2; i++) {
        row_clear(&rows[i]);
        strcpy(rows[i].allocator, i ? "other" : "system");
        rows[i].peak_rss_bytes = i ? 1250 : 1000;
        offers[i] = (struct offer){.row = &rows[i], .time = {1, 1, 1, false}};
    }
    const struct recommendation all = {.offers = offers, .count = 2, .base = &offers[0]};
    offers[1].time = (struct interval){0.6, 0.5, 0.7, false};
    recommend_brief(text, &all, &offers[1]);
    assert_string_equal(text, "other: -40\u00a0% time, +25\u00a0% memory");
    offers[1].time = (struct interval){1.02, 0.98, 1.04, false};
    rows[1].peak_rss_bytes = 800;
    recommend_brief(text, &all, &offers[1]);
    assert_string_equal(text, "other: -20\u00a0% memory, no difference in time");
    offers[1].time.ratio = offers[1].time.low = offers[1].time.high = REAL_UNKNOWN;
    rows[1].peak_rss_bytes = 1001;
    recommend_brief(text, &all, &offers[1]);
    assert_string_equal(text, "other: as much memory, time not measured");
}

static void less_time_for_as_much_memory_has_no_price(void **state)
{
    (void)state;
    const struct made made[] = {
        {"system", 10, 0, 2000}, {"free", 6, 0, 2060}, {"dear", 5.9, 0, 3000}};
    advise(made, 3,
           &(struct advice){"free", "", "", 0,
                            "At no price: against system, free takes 40 % less time (ratio 0.60 "
                            "[0.60, 0.60]) and about as much memory (2.01 MiB at the peak against "
                            "1.95 MiB)."});
}

static void the_smallest_without_loss_is_advised(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0.2, 2000},
                                {"same-time", 10, 0.2, 1600},
                                {"a-little", 10, 0.2, 1850},
                                {"dear", 15, 0.2, 1200}};
    advise(made, 4,
           &(struct advice){"same-time", "", "dear", 0,
                            "At no price: against system, same-time takes 20 % less memory (1.56 "
                            "MiB at the peak against 1.95 MiB) with no difference in time shown"});
}

/* Nearly as fast as the fastest for nearly nothing is what one wants to know of. */
static void of_those_not_told_apart_the_cheapest_is_named(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 2000},
                                {"fastest", 5, 1, 4000},
                                {"as-fast", 5.2, 0, 2400},
                                {"smallest", 20, 0, 1000}};
    advise(made, 4,
           &(struct advice){"", "as-fast", "smallest", 0,
                            "Nothing here is better than system at no price."});
    const struct made small[] = {
        {"system", 10, 0, 2000}, {"smallest", 20, 0, 1000}, {"as-small", 12, 0, 1030}};
    advise(small, 3,
           &(struct advice){"", "", "as-small", 2, "48 % less memory (1.01 MiB at the peak"});
}

static void a_price_is_named(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 2000}, {"dear", 12, 0, 1200}};
    advise(made, 2,
           &(struct advice){"", "", "dear", 2, "for 20 % more time (ratio 1.20 [1.20, 1.20])."});
}

static void less_than_chance_is_no_help(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 2000}, {"near", 9.6, 0, 1910}};
    advise(
        made, 2,
        &(struct advice){"", "", "", 0,
                         "Nothing here helps: none is shown to take 5 % less time than system, "
                         "and the smallest of the others, near, takes 4.5 % less at the peak "
                         "than system, which is not told from chance. 50 % of the peak of system "
                         "is live payload: no allocator could save more than 50 %"});
}

static void full_of_payload_nothing_can_help(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 1030}, {"larger", 10, 0, 1200}};
    advise(made, 2,
           &(struct advice){"", "", "", 0,
                            "97 % of the peak of system is live payload: no allocator could save "
                            "more than 3 %."});
}

/* In a run with a single repetition, or with none of the time. */
static void tells(const double *ns, size_t repetitions, uint64_t other_kib, int line,
                  const char *expected)
{
    static const char *const specs[] = {"system", "other", NULL};
    char folder[RUN_FOLDER], lines[RECOMMEND_SENTENCES][RECOMMEND_TEXT];
    struct store *store = run_begin(folder, specs, (int)repetitions);
    for (int i = 0; i < 2; i++) {
        struct cell_result memory = run_cell(specs[i], "memory", 0);
        memory.peak_rss_bytes = (i ? other_kib : 1000) << 10;
        run_throughput(store, specs[i], &ns[i], repetitions);
        run_append(store, &memory);
    }
    size_t count;
    struct row *rows = table_rows(store, &count);
    for (size_t i = 0; i < count; i++)
        strcpy(rows[i].status, "ok");
    assert_true(answer_advice(store, rows, count, lines));
    assert_string_equal(lines[line], expected);
    free(rows);
    run_end(store, folder);
}

static void one_repetition_shows_nothing_of_the_time(void **state)
{
    (void)state;
    static const double ns[] = {10, 5};
    tells(
        ns, 1, 1010, 0,
        "Nothing is advised yet: in a single repetition, which tells no difference from chance, "
        "other took 0.50 of the time of system; repeat with -n 6. And the smallest of the others, "
        "other, takes 1.0 % more at the peak than system.");
    tells(ns, 1, 500, 0, "");
    tells(ns, 1, 500, 2,
          "For memory: against system, other takes 50 % less memory (500 KiB at the peak against "
          "1000 KiB), for -50.0 % of time in a single repetition.");
    tells(ns, 0, 500, 0, "");
    tells(ns, 0, 500, 2,
          "For memory: against system, other takes 50 % less memory (500 KiB at the peak against "
          "1000 KiB); its price in time was not measured.");
}

static void noise_is_no_price(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 2000}, {"wild", 10, 2, 1000}};
    advise(made, 2,
           &(struct advice){"", "", "", 0, "Nothing is advised yet: wild takes 50 % less"});
}

static void what_never_frees_is_never_named(void **state)
{
    (void)state;
    const struct made made[] = {{"system", 10, 0, 2000}, {"bump", 5, 0, 1000}};
    advise(made, 2, &(struct advice){"", "", "", 4, "bump (never frees)"});
}

static void without_system_the_fastest_is_the_base(void **state)
{
    (void)state;
    const struct made made[] = {{"quick", 10, 0, 2000}, {"slow", 20, 0, 1000}};
    advise(made, 2,
           &(struct advice){"", "", "slow", 2,
                            "For memory: against quick, slow takes 50 % less memory (1000 KiB"});
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
        double ratio = ns[i] / 10, behind = ns[i] / 8;
        offers[i] = (struct offer){.row = &rows[i],
                                   .time = {ratio, ratio, ratio, false},
                                   .behind = {behind, behind, behind, false}};
    }
    struct recommendation all = {.offers = offers, .count = 3};
    recommend_judge(&all);
    assert_ptr_equal(all.advised, &offers[1]);
    assert_null(all.time);
    assert_null(all.memory);
    assert_true(offers[1].on_front && !offers[0].on_front && !offers[2].on_front);
    strcpy(offers[1].doubt, "crashed");
    recommend_judge(&all);
    assert_ptr_equal(all.advised, &offers[2]);
    assert_true(offers[2].on_front && !offers[1].on_front);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_better_in_both_comes_first),
        cmocka_unit_test(without_a_memory_pass_the_fastest_is_named),
        cmocka_unit_test(in_brief_the_gain_comes_first),
        cmocka_unit_test(less_time_for_as_much_memory_has_no_price),
        cmocka_unit_test(the_smallest_without_loss_is_advised),
        cmocka_unit_test(of_those_not_told_apart_the_cheapest_is_named),
        cmocka_unit_test(a_price_is_named),
        cmocka_unit_test(less_than_chance_is_no_help),
        cmocka_unit_test(full_of_payload_nothing_can_help),
        cmocka_unit_test(one_repetition_shows_nothing_of_the_time),
        cmocka_unit_test(noise_is_no_price),
        cmocka_unit_test(what_never_frees_is_never_named),
        cmocka_unit_test(without_system_the_fastest_is_the_base),
        cmocka_unit_test(faster_and_smaller_is_on_the_front_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
