/* The formulas of fragmentation against their worked examples. */
#include "harness/measure/fragmentation.h"
#include "harness/measure/holes.h"

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

static size_t request_of(uint64_t size)
{
    size_t i = 0;
    while (i < HOLE_REQUESTS && hole_request(i) != size)
        i++;
    assert_true(i < HOLE_REQUESTS);
    return i;
}

static void fill(struct holes *holes)
{
    static const struct {
        size_t count;
        uint64_t size;
    } kinds[] = {{40, 16}, {20, 64}, {5, 256}, {1, 4096}};
    *holes = (struct holes){0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (size_t j = 0; j < kinds[i].count; j++)
            holes_add(holes, kinds[i].size);
}

static void free_extents(void **state)
{
    (void)state;
    struct holes holes;
    fill(&holes);
    assert_int_equal(holes.bytes, 7296);
    assert_int_equal(holes.count, 66);
    assert_int_equal(holes.largest, 4096);
    CLOSE(holes_outside_largest(&holes), 0.4386, 4);
    CLOSE(holes_too_small(&holes, request_of(32)), 0.0877, 4);
    CLOSE(holes_too_small(&holes, request_of(128)), 0.2632, 4);
    CLOSE(holes_too_small(&holes, request_of(1024)), 0.4386, 4);
    CLOSE(holes_too_small(&holes, request_of(8192)), 1, 9);
    assert_int_equal(holes.bin_count[profile_bin(64)], 20);
    assert_int_equal(holes.bin_bytes[profile_bin(256)], 5 * 256);
}

/* By hand: blocks of 48 fit once into 64, five times into 256 and 85 times into 4,096, so 20*48 +
 * 5*240 + 4,080 = 6,240 of 7,296 bytes can be used. */
static void unusable_counts_what_is_left_over(void **state)
{
    (void)state;
    struct holes holes, none = {0};
    size_t of_48 = request_of(48);
    fill(&holes);
    CLOSE(holes_unusable(&holes, of_48), 1 - 6240.0 / 7296, 9);
    CLOSE(holes_unusable(&holes, request_of(16)), 0, 9);
    CLOSE(holes_unusable(&holes, request_of(8192)), 1, 9);
    assert_true(holes_unusable(&holes, of_48) > holes_too_small(&holes, of_48));
    CLOSE(holes_unusable(&none, of_48), 0, 9);
    CLOSE(holes_outside_largest(&none), 0, 9);
}

/* 1 MiB live in blocks of 16 to 4,096 bytes: 65,536 units of 16, n = 256. */
static void bounds(void **state)
{
    (void)state;
    CLOSE(bound_robson(65536, 256), 327425, 6);
    CLOSE(bound_robson(65536, 256) / 65536, 4.996, 3);
    CLOSE(bound_first_fit(65536, 256), 9 * 65536, 6);
    CLOSE(bound_first_fit(65536, 257), 10 * 65536, 6);
    CLOSE(bound_best_fit(65536, 256), 254 * 65536, 6);
    /* Blocks of one size need no more than is live. */
    CLOSE(bound_robson(1000, 1), 1000, 9);
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
        cmocka_unit_test(kernel_orders),        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
