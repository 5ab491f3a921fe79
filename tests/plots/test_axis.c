/* Axes and labels: what must never happen is a label on another, or off the canvas. */
#include <math.h>

#include "plots/figure.h"
#include "tests/unit.h"

static void narrow_values_are_linear(void **state)
{
    (void)state;
    const double values[] = {10, 20, 15};
    struct figure_axis axis = figure_axis_fit(values, 3, 100, 500);
    assert_false(axis.logarithmic);
    assert_true(axis.low < 10 && axis.low >= 0 && axis.high > 20);
}

static void wide_values_are_logarithmic(void **state)
{
    (void)state;
    const double values[] = {1, 1000};
    struct figure_axis axis = figure_axis_fit(values, 2, 0, 100);
    assert_true(axis.logarithmic);
    assert_true(axis.low > 0 && axis.low < 1 && axis.high > 1000);
    /* The geometric mean lies in the middle. */
    assert_float_equal(figure_axis_pixel(&axis, sqrt(1000)), 50, 1e-6);
}

static void one_value_has_an_axis_too(void **state)
{
    (void)state;
    const double value = 7;
    struct figure_axis axis = figure_axis_fit(&value, 1, 0, 100);
    assert_true(axis.low < 7 && axis.high > 7);
}

static void pixels_and_values_are_inverse(void **state)
{
    (void)state;
    const double wide[] = {1, 1e6}, narrow[] = {3, 4};
    struct figure_axis axes[] = {figure_axis_fit(wide, 2, 80, 900),
                                 figure_axis_fit(narrow, 2, 60, 540)};
    for (int i = 0; i < 2; i++)
        for (double pixel = 90; pixel < 500; pixel += 37)
            assert_float_equal(figure_axis_pixel(&axes[i], figure_axis_value(&axes[i], pixel)),
                               pixel, 1e-6);
}

static bool overlap(const struct figure_label *a, const struct figure_label *b)
{
    return fabs(a->middle - b->middle) < FIGURE_LINE && a->left < b->left + b->width &&
           b->left < a->left + a->width;
}

/* Twelve allocators whose points are all in one corner, as they are in life. */
static void crowded_labels_stay_apart(void **state)
{
    (void)state;
    enum { LABELS = 12 };
    struct figure_axis x = {0, 1, false, 80, 930}, y = {0, 1, false, 60, 540};
    struct figure_label labels[LABELS];
    for (int i = 0; i < LABELS; i++)
        labels[i] = (struct figure_label){
            .x = 300 + 13.0 * (i % 4), .y = 200 + 11.0 * (double)(i * 7 % 12), .width = 70};
    figure_labels_place(labels, LABELS, &x, &y);
    for (int i = 0; i < LABELS; i++) {
        assert_true(labels[i].left >= 80 && labels[i].left + labels[i].width <= 930);
        assert_true(labels[i].middle >= 60 && labels[i].middle <= 540);
        for (int j = 0; j < i; j++)
            assert_false(overlap(&labels[i], &labels[j]));
    }
}

/* A wide name was taken for a narrower one and covered its own point. */
static void a_label_at_its_true_width_covers_no_point(void **state)
{
    (void)state;
    struct figure_axis x = {0, 1, false, 80, 930}, y = {0, 1, false, 60, 540};
    /* As a browser and gnuplot draw them. */
    assert_float_equal(figure_text_width("mems+moving", 36), 92, 1);
    assert_float_equal(figure_text_width("illi", 36), 13.5, 1);
    assert_float_equal(figure_text_width("mems+moving", 4), figure_text_width("mems", 36), 1e-9);
    struct figure_label label = {.x = 915, .y = 300};
    label.width = figure_text_width("mems+moving", 36);
    figure_labels_place(&label, 1, &x, &y);
    assert_true(label.left + label.width <= 915 - 6 || fabs(label.middle - 300) > FIGURE_LINE / 2);
}

static void labels_at_the_edge_turn_inwards(void **state)
{
    (void)state;
    struct figure_axis x = {0, 1, false, 80, 930}, y = {0, 1, false, 60, 540};
    struct figure_label label = {.x = 925, .y = 535, .width = 120};
    figure_labels_place(&label, 1, &x, &y);
    assert_true(label.left + label.width <= 930 && label.middle <= 540);
}

static void heights_spread_without_crossing_over(void **state)
{
    (void)state;
    double heights[] = {100, 101, 101, 300, 102, 100};
    enum { HEIGHTS = sizeof heights / sizeof *heights };
    figure_spread(heights, HEIGHTS, 16, 0, 400);
    for (int i = 0; i < HEIGHTS; i++)
        for (int j = 0; j < i; j++)
            assert_true(fabs(heights[i] - heights[j]) > 15);
    assert_float_equal(heights[3], 300, 1e-9);
    assert_true(heights[4] > heights[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(narrow_values_are_linear),
        cmocka_unit_test(wide_values_are_logarithmic),
        cmocka_unit_test(one_value_has_an_axis_too),
        cmocka_unit_test(pixels_and_values_are_inverse),
        cmocka_unit_test(crowded_labels_stay_apart),
        cmocka_unit_test(a_label_at_its_true_width_covers_no_point),
        cmocka_unit_test(labels_at_the_edge_turn_inwards),
        cmocka_unit_test(heights_spread_without_crossing_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
