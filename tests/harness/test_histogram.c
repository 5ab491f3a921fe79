/* The histogram against the published facts of HdrHistogram, and its percentile text. */
#include "harness/measure/histogram.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/rng.h"
#include "tests/unit.h"

static struct histogram histogram;

static int start_empty(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof histogram);
    return 0;
}

static void counters_are_laid_out_as_published(void **state)
{
    (void)state;
    assert_int_equal(HISTOGRAM_COUNTERS, 33792);
    assert_int_equal(histogram_index(0), 0);
    assert_int_equal(histogram_index(2047), 2047);
    assert_int_equal(histogram_index(2048), 2048);
    assert_int_equal(histogram_index(2049), 2048);
    assert_int_equal(histogram_index(4095), 3071);
    assert_int_equal(histogram_index(4096), 3072);
    assert_true(histogram_index(HISTOGRAM_HIGHEST) < HISTOGRAM_COUNTERS);
    assert_int_equal(histogram_index(UINT64_MAX), histogram_index(HISTOGRAM_HIGHEST));
}

static void counters_share_no_value(void **state)
{
    (void)state;
    uint64_t next = 0;
    for (size_t i = 0; i < HISTOGRAM_COUNTERS && next <= HISTOGRAM_HIGHEST; i++) {
        assert_int_equal(histogram_lowest(i), next);
        assert_int_equal(histogram_index(histogram_lowest(i)), i);
        next = histogram_highest(i) + 1;
        if (next <= HISTOGRAM_HIGHEST)
            assert_int_equal(histogram_index(next - 1), i);
    }
    assert_true(next > HISTOGRAM_HIGHEST);
}

static void three_digits_are_kept(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    for (int i = 0; i < 100000; i++) {
        uint64_t value = rng_next(&rng) >> (22 + rng_below(&rng, 42));
        if (value > HISTOGRAM_HIGHEST)
            continue;
        size_t index = histogram_index(value);
        assert_true(histogram_lowest(index) <= value && value <= histogram_highest(index));
        assert_true((histogram_highest(index) - histogram_lowest(index)) * 1000 <= value);
    }
}

/* The worked figures of the published test suite: 10,000 values of 1,000 and one of 100,000,000. */
static void percentiles_are_the_published_ones(void **state)
{
    (void)state;
    for (int i = 0; i < 10000; i++)
        histogram_record(&histogram, 1000);
    histogram_record(&histogram, 100000000);
    assert_int_equal(histogram.total, 10001);
    assert_int_equal(histogram_percentile(&histogram, 30), 1000);
    assert_int_equal(histogram_percentile(&histogram, 99), 1000);
    assert_int_equal(histogram_percentile(&histogram, 99.99), 1000);
    assert_int_equal(histogram_percentile(&histogram, 99.999), 100000000);
    assert_int_equal(histogram_percentile(&histogram, 100), 100000000);
    double mean = (10000.0 * 1000 + 100000000) / 10001;
    assert_true(histogram_mean(&histogram) > mean * 0.999 &&
                histogram_mean(&histogram) < mean * 1.001);
    assert_int_equal(histogram.counts[histogram_index(1000)], 10000);
}

static void percentiles_agree_with_sorting(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static uint64_t seen[COUNT];
    static uint32_t rank[100001];
    struct rng rng;
    rng_init(&rng, 7);
    memset(rank, 0, sizeof rank);
    for (int i = 0; i < COUNT; i++) {
        uint64_t value = rng_below(&rng, 100001);
        rank[value]++;
        histogram_record(&histogram, value);
    }
    int at = 0;
    for (uint64_t value = 0; value <= 100000; value++)
        for (uint32_t i = 0; i < rank[value]; i++)
            seen[at++] = value;
    for (int percent = 1; percent <= 100; percent++) {
        uint64_t exact = seen[percent * COUNT / 100 - 1];
        uint64_t told = histogram_percentile(&histogram, percent);
        assert_true(told >= exact && told <= histogram_highest(histogram_index(exact)));
    }
}

/* A percentile needs a record beyond it. */
static void few_records_reach_no_far_percentile(void **state)
{
    (void)state;
    static const struct {
        uint64_t least;
        double percentile;
    } rows[] = {{2, 50}, {10, 90}, {100, 99}, {1000, 99.9}, {10000, 99.99}, {100000, 99.999}};
    assert_false(histogram_reaches(&histogram, 50));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        histogram.total = rows[i].least - 1;
        assert_false(histogram_reaches(&histogram, rows[i].percentile));
        histogram.total = rows[i].least;
        assert_true(histogram_reaches(&histogram, rows[i].percentile));
    }
    assert_false(histogram_reaches(&histogram, 100));
}

static void adding_is_recording_both(void **state)
{
    (void)state;
    static struct histogram one, other;
    for (uint64_t i = 1; i < 3000; i++) {
        histogram_record(i % 3 ? &one : &other, i * i);
        histogram_record(&histogram, i * i);
    }
    histogram_add(&one, &other);
    assert_memory_equal(&one, &histogram, sizeof one);
}

static char *text_of(const struct histogram *what, unsigned ticks)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    histogram_print(out, what, ticks);
    fclose(out);
    return text;
}

/* With five lines a halving: 0, 10, 20, 30, 40, 50, 55, 60, 65, 70, 75, 77.5, … */
static void the_percentile_text_steps_as_published(void **state)
{
    (void)state;
    static const double steps[] = {0,   .10, .20,  .30, .40,  .50, .55,  .60,  .65,
                                   .70, .75, .775, .80, .825, .85, .875, .8875};
    for (uint64_t i = 1; i <= 1000; i++)
        histogram_record(&histogram, i);
    char *text = text_of(&histogram, 5), *save, *line = strtok_r(text, "\n", &save);
    char first[64];
    snprintf(first, sizeof first, "%12s %14s %10s %14s", "Value", "Percentile", "TotalCount",
             "1/(1-Percentile)");
    assert_string_equal(line, first);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        double value, percentile, inverse;
        unsigned long long count;
        line = strtok_r(NULL, "\n", &save);
        assert_int_equal(sscanf(line, "%lf %lf %llu %lf", &value, &percentile, &count, &inverse),
                         4);
        assert_true(percentile > steps[i] - 1e-9 && percentile < steps[i] + 1e-9);
        assert_true(count >= (unsigned long long)(steps[i] * 1000));
        assert_int_equal((unsigned long long)value, count);
    }
    const char *last = NULL, *mean = NULL, *max = NULL, *buckets = NULL;
    while ((line = strtok_r(NULL, "\n", &save))) {
        last = line[0] != '#' ? line : last;
        mean = strncmp(line, "#[Mean", 6) == 0 ? line : mean;
        max = strncmp(line, "#[Max", 5) == 0 ? line : max;
        buckets = strncmp(line, "#[Buckets", 9) == 0 ? line : buckets;
    }
    assert_string_equal(last, "    1000.000 1.000000000000       1000");
    assert_string_equal(mean, "#[Mean    =      500.500, StdDeviation   =      288.675]");
    assert_string_equal(max, "#[Max     =     1000.000, Total count    =         1000]");
    assert_string_equal(buckets, "#[Buckets =           32, SubBuckets     =         2048]");
    free(text);
}

static void an_empty_histogram_prints_no_line(void **state)
{
    (void)state;
    char *text = text_of(&histogram, 5);
    assert_null(strstr(text, "1.000000000000"));
    assert_non_null(strstr(text, "Total count    =            0"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(counters_are_laid_out_as_published, start_empty),
        cmocka_unit_test_setup(counters_share_no_value, start_empty),
        cmocka_unit_test_setup(three_digits_are_kept, start_empty),
        cmocka_unit_test_setup(percentiles_are_the_published_ones, start_empty),
        cmocka_unit_test_setup(percentiles_agree_with_sorting, start_empty),
        cmocka_unit_test_setup(few_records_reach_no_far_percentile, start_empty),
        cmocka_unit_test_setup(adding_is_recording_both, start_empty),
        cmocka_unit_test_setup(the_percentile_text_steps_as_published, start_empty),
        cmocka_unit_test_setup(an_empty_histogram_prints_no_line, start_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
