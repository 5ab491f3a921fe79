/* Medians and intervals against examples worked by hand. */
#include <math.h>

#include "results/statistics.h"
#include "tests/unit.h"

static void medians_are_the_middle(void **state)
{
    (void)state;
    const double odd[] = {5, 1, 9}, even[] = {4, 1, 3, 2};
    assert_true(statistics_median(odd, 3) == 5);
    assert_true(statistics_median(even, 4) == 2.5);
    assert_true(isnan(statistics_median(odd, 0)));
    assert_true(odd[0] == 5);
}

static void percentiles_interpolate(void **state)
{
    (void)state;
    const double values[] = {50, 10, 30, 20, 40};
    assert_true(statistics_percentile(values, 5, 0) == 10);
    assert_true(statistics_percentile(values, 5, 0.25) == 20);
    assert_float_equal(statistics_percentile(values, 5, 0.9), 46, 1e-9);
    assert_true(statistics_percentile(values, 5, 1) == 50);
}

static void the_spread_is_relative_to_the_median(void **state)
{
    (void)state;
    const double values[] = {10, 12, 9};
    assert_float_equal(statistics_spread(values, 3), 0.3, 1e-12);
    assert_true(isnan(statistics_spread(values, 1)));
}

static void identical_sides_show_nothing(void **state)
{
    (void)state;
    const double values[] = {10, 11, 12, 10, 11, 13, 12};
    struct interval interval = statistics_ratio_paired(values, values, 7, 1);
    assert_true(interval.ratio == 1 && interval.low == 1 && interval.high == 1);
    assert_false(interval.indicative);
    assert_false(interval_shows_difference(&interval));
}

/* Every pair has the ratio 2, whatever the blocks do: pairing must cancel the drift. */
static void pairing_cancels_what_both_share(void **state)
{
    (void)state;
    const double b[] = {10, 20, 40, 80, 30, 60, 15}, a[] = {20, 40, 80, 160, 60, 120, 30};
    struct interval paired = statistics_ratio_paired(a, b, 7, 1);
    assert_true(paired.ratio == 2 && paired.low == 2 && paired.high == 2);
    struct interval independent = statistics_ratio(a, 7, b, 7, 1);
    assert_true(independent.ratio == 2);
    assert_true(independent.low < 1 && independent.high > 4);
    assert_false(interval_shows_difference(&independent));
}

/* Two blocks, one side constant: a resample is {1,1}, {1,3} twice, or {3,3}, so the median is 1, 2,
 * 2, 3, and the ends of the interval are 1/2 and 3/2. */
static void two_blocks_give_their_own_range(void **state)
{
    (void)state;
    const double a[] = {1, 3}, b[] = {2, 2};
    struct interval interval = statistics_ratio_paired(a, b, 2, 7);
    assert_true(interval.ratio == 1 && interval.low == 0.5 && interval.high == 1.5);
    assert_true(interval.indicative);
}

static void one_measurement_shows_nothing(void **state)
{
    (void)state;
    const double a[] = {10}, b[] = {5};
    struct interval interval = statistics_ratio_paired(a, b, 1, 1);
    assert_true(interval.ratio == 2);
    assert_true(isnan(interval.low) && isnan(interval.high));
    assert_false(interval_shows_difference(&interval));
}

static void six_repetitions_are_enough(void **state)
{
    (void)state;
    const double a[] = {1, 2, 3, 4, 5, 6};
    assert_true(statistics_ratio_paired(a, a, 5, 1).indicative);
    assert_false(statistics_ratio_paired(a, a, 6, 1).indicative);
    assert_true(statistics_ratio(a, 6, a, 5, 1).indicative);
}

static void the_seed_decides(void **state)
{
    (void)state;
    const double a[] = {11, 12, 10, 14, 13, 12.5, 11.5}, b[] = {10, 10.5, 11, 9.5, 10.2, 10.1, 9};
    struct interval first = statistics_ratio(a, 7, b, 7, 42),
                    again = statistics_ratio(a, 7, b, 7, 42);
    assert_true(first.low == again.low && first.high == again.high);
    assert_true(first.low <= first.ratio && first.ratio <= first.high);
    assert_true(interval_shows_difference(&first));
}

/* Of 80 pairs of samples from one distribution, about 95 % of the intervals must hold 1: far fewer
 * would cry wolf, all of them would never see anything. Uniform in 100…120, 15 repetitions. */
static void intervals_cover_as_promised(void **state)
{
    (void)state;
    uint64_t lcg = 12345;
    int held = 0;
    for (int trial = 0; trial < 80; trial++) {
        double a[15], b[15];
        for (int i = 0; i < 15; i++) {
            lcg = lcg * 6364136223846793005u + 1442695040888963407u;
            a[i] = 100 + (double)(lcg >> 40) * 20 / (1 << 24);
            lcg = lcg * 6364136223846793005u + 1442695040888963407u;
            b[i] = 100 + (double)(lcg >> 40) * 20 / (1 << 24);
        }
        struct interval interval = statistics_ratio(a, 15, b, 15, (uint64_t)trial);
        held += !interval_shows_difference(&interval);
    }
    assert_in_range(held, 70, 79);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_are_the_middle),
        cmocka_unit_test(percentiles_interpolate),
        cmocka_unit_test(the_spread_is_relative_to_the_median),
        cmocka_unit_test(identical_sides_show_nothing),
        cmocka_unit_test(pairing_cancels_what_both_share),
        cmocka_unit_test(two_blocks_give_their_own_range),
        cmocka_unit_test(one_measurement_shows_nothing),
        cmocka_unit_test(six_repetitions_are_enough),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(intervals_cover_as_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
