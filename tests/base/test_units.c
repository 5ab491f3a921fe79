/* Sizes, times and counts as people write them, and the nearest word. */
#include "tests/unit.h"

#include "harness/base/nearest.h"
#include "harness/base/options.h"
#include "harness/base/units.h"

static void sizes_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},         {"4096", 4096},       {"64k", 65536},
                {"64KiB", 65536}, {"1.5G", 1610612736}, {"18014398509481983", 18014398509481983}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t bytes = 1;
        assert_int_equal(units_parse_size(good[i].text, &bytes, NULL), 0);
        assert_int_equal(bytes, good[i].bytes);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "-1", "k", "1x", "0x10", "1e3", "1.2.3", "9999999999999T", " 1"};
    struct err err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t bytes;
        err.code = 0;
        assert_int_not_equal(units_parse_size(bad[i], &bytes, &err), 0);
        assert_int_not_equal(err.code, 0);
    }
}

static void times_are_read(void **state)
{
    (void)state;
    uint64_t ns;
    assert_int_equal(units_parse_time("200ms", &ns, NULL), 0);
    assert_int_equal(ns, 200000000);
    assert_int_equal(units_parse_time("2m", &ns, NULL), 0);
    assert_int_equal(ns, 120000000000);
    assert_int_equal(units_parse_time("90", &ns, NULL), 0);
    assert_int_equal(ns, 90000000000);
}

static void figures_are_written(void **state)
{
    (void)state;
    char text[UNITS_TEXT];
    assert_string_equal(units_format_size(text, 512), "512 B");
    assert_string_equal(units_format_size(text, 65536), "64.0 KiB");
    assert_string_equal(units_format_count(text, 1234567), "1,234,567");
    assert_string_equal(units_format_count(text, 12), "12");
    assert_string_equal(units_format_time(text, 12.34), "12.3 ns");
    assert_string_equal(units_format_time(text, 4560), "4.56 us");
}

static void the_nearest_word_is_found(void **state)
{
    (void)state;
    struct nearest nearest = nearest_to("frist-fit");
    nearest_offer(&nearest, "best-fit");
    nearest_offer(&nearest, "first-fit");
    nearest_offer(&nearest, "buddy");
    assert_string_equal(nearest.best, "first-fit");
    assert_int_equal(nearest.distance, 1);
    assert_string_equal(nearest_hint(&nearest).text, "; the nearest is 'first-fit'");
}

static struct nearest_hint hint_of(const char *wanted)
{
    struct nearest nearest = nearest_to(wanted);
    nearest_offer(&nearest, "throughput");
    nearest_offer(&nearest, "null");
    return nearest_hint(&nearest);
}

static void words_with_nothing_in_common_are_no_hint(void **state)
{
    (void)state;
    assert_string_equal(hint_of("zzzzqqq").text, "");
    assert_string_equal(hint_of("").text, "");
    assert_string_equal(hint_of("nlul").text, "; the nearest is 'null'");
    assert_string_equal(hint_of("throu").text, "; the nearest is 'throughput'");
    struct nearest nothing = nearest_to("word");
    assert_string_equal(nearest_hint(&nothing).text, "");
}

static void options_follow_their_table(void **state)
{
    (void)state;
    static const struct option_row rows[] = {
        {"min", OPTION_SIZE, "16", "smallest block", NULL},
        {"fit", OPTION_CHOICE, "first", "policy", "first|best|next"},
        {"lock", OPTION_FLAG, "1", "take the lock", NULL},
        {0},
    };
    union option_value values[OPTIONS_MAX];
    struct err err;
    assert_int_equal(options_default(rows, values, &err), 0);
    assert_int_equal(values[0].number, 16);
    assert_int_equal(options_assign(rows, values, "x", "fit", "best", &err), 0);
    assert_int_equal(values[1].number, 1);
    assert_int_not_equal(options_assign(rows, values, "x", "fit", "bes", &err), 0);
    assert_int_not_equal(options_assign(rows, values, "x", "lick", "0", &err), 0);
    assert_string_equal(err.text, "x has no option 'lick'; the nearest is 'lock'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(figures_are_written),
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(words_with_nothing_in_common_are_no_hint),
        cmocka_unit_test(options_follow_their_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
