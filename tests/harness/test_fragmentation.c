/* The formulas of fragmentation against their worked examples. */
#include "harness/measure/fragmentation.h"

#include <math.h>

#include "tests/unit.h"

#define CLOSE(value, wanted, digits)                                                               \
    assert_true(fabs((value) - (wanted)) < 0.5 * pow(10, -(digits)))

static void johnstone_and_wilson(void **state)
{
    (void)state;
    static const uint64_t live[] = {100, 300, 400, 250, 200, 50};
    static const uint64_t held[] = {128, 320, 512, 640, 640, 640};
    struct johnstone_wilson figures = johnstone_wilson(live, held, 6);
    CLOSE(figures.mean, 2.6978, 4);
    CLOSE(figures.at_peak_live, 0.28, 4);
    CLOSE(figures.at_peak_held, 1.56, 4);
    CLOSE(figures.peaks, 0.60, 4);
    CLOSE(figures.area, 1.2154, 4);
}

static void nothing_live_is_no_ratio(void **state)
{
    (void)state;
    static const uint64_t live[] = {0, 0, 64, 0}, held[] = {4096, 4096, 4096, 4096};
    struct johnstone_wilson figures = johnstone_wilson(live, held, 4);
    CLOSE(figures.mean, 63, 9);
    assert_true(isnan(figures.at_peak_held));
    CLOSE(figures.peaks, 63, 9);
    assert_true(isnan(johnstone_wilson(live, held, 2).peaks));
    assert_true(isnan(johnstone_wilson(live, held, 0).mean));
}

static size_t extents_of(uint64_t extents[128])
{
    static const struct {
        size_t count;
        uint64_t size;
    } kinds[] = {{40, 16}, {20, 64}, {5, 256}, {1, 4096}};
    size_t all = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (size_t j = 0; j < kinds[i].count; j++)
            extents[all++] = kinds[i].size;
    return all;
}

static void free_extents(void **state)
{
    (void)state;
    uint64_t extents[128];
    size_t count = extents_of(extents);
    struct free_space space = {0};
    for (size_t i = 0; i < count; i++)
        free_space_add(&space, extents[i]);
    assert_int_equal(space.total, 7296);
    assert_int_equal(space.extents, 66);
    assert_int_equal(space.largest, 4096);
    CLOSE(free_space_largest_hole(&space), 0.4386, 4);
    CLOSE(free_space_too_small(extents, count, 32), 0.0877, 4);
    CLOSE(free_space_too_small(extents, count, 128), 0.2632, 4);
    CLOSE(free_space_too_small(extents, count, 1024), 0.4386, 4);
    CLOSE(free_space_too_small(extents, count, 8192), 1, 9);
}

/* By hand: blocks of 48 fit once into 64, five times into 256 and 85 times into 4,096, so 20*48 +
 * 5*240 + 4,080 = 6,240 of 7,296 bytes can be used. */
static void unusable_counts_what_is_left_over(void **state)
{
    (void)state;
    uint64_t extents[128];
    size_t count = extents_of(extents);
    CLOSE(free_space_unusable(extents, count, 48), 1 - 6240.0 / 7296, 9);
    CLOSE(free_space_unusable(extents, count, 16), 0, 9);
    CLOSE(free_space_unusable(extents, count, 8192), 1, 9);
    assert_true(free_space_unusable(extents, count, 48) > free_space_too_small(extents, count, 48));
    CLOSE(free_space_unusable(NULL, 0, 48), 0, 9);
}

static void kernel_orders(void **state)
{
    (void)state;
    static const uint64_t blocks[] = {3, 2, 1, 0, 0};
    static const int unusable[] = {0, 272, 636, 1000, 1000};
    static const int index[] = {-1000, -1000, -1000, 605, 719};
    for (unsigned order = 0; order < 5; order++) {
        assert_int_equal(free_orders_unusable(blocks, 5, order), unusable[order]);
        assert_int_equal(free_orders_index(blocks, 5, order), index[order]);
    }
    static const uint64_t none[5] = {0};
    assert_int_equal(free_orders_index(none, 5, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(johnstone_and_wilson), cmocka_unit_test(nothing_live_is_no_ratio),
        cmocka_unit_test(free_extents),         cmocka_unit_test(unusable_counts_what_is_left_over),
        cmocka_unit_test(kernel_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
