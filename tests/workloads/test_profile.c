/* Histograms of sizes and lifetimes. */
#include "tests/unit.h"

#include "workloads/profile.h"

static void bins_are_ordered_and_hold_their_values(void **state)
{
    (void)state;
    static const uint64_t values[] = {0,  1,  7,  8,    9,    10,   15,
                                      16, 19, 20, 4096, 5119, 5120, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        size_t bin = profile_bin(values[i]);
        assert_true(bin < PROFILE_BINS);
        assert_true(profile_bin_low(bin) <= values[i]);
        assert_true(values[i] == UINT64_MAX || profile_bin_low(bin + 1) > values[i]);
    }
    assert_int_equal(profile_bin(5119), profile_bin(4096));
    assert_int_not_equal(profile_bin(5120), profile_bin(4096));
}

static void sizes_and_lifetimes_are_counted(void **state)
{
    (void)state;
    const uint8_t kind[] = {TRACE_MALLOC, TRACE_CALLOC, TRACE_REALLOC, TRACE_FREE, TRACE_MALLOC};
    const uint8_t flags[] = {0, 0, 0, 0, TRACE_FAILED};
    const uint8_t align[] = {0, 0, 0, 0, 0};
    const uint32_t thread[] = {0, 0, 0, 0, 0};
    const uint32_t object[] = {0, 1, 0, 0, TRACE_NO_OBJECT};
    const uint64_t size[] = {24, 24, 100, 0, 9};
    struct trace_block block = {.count = 5,
                                .kind = kind,
                                .flags = flags,
                                .align_log2 = align,
                                .thread = thread,
                                .object = object,
                                .size = size};
    struct profile profile;
    assert_int_equal(profile_init(&profile, 2, NULL), 0);
    profile_add(&profile, &block);
    profile_finish(&profile);
    assert_int_equal(profile.sizes[profile_bin(24)], 2);
    assert_int_equal(profile.size_bytes[profile_bin(24)], 48);
    assert_int_equal(profile.sizes[profile_bin(100)], 1);
    assert_int_equal(profile.sizes[profile_bin(9)], 0);
    assert_int_equal(profile.lifetimes[3], 1);
    /* The block that was freed had grown to 100 bytes, and lived through 3 operations. */
    assert_int_equal(profile.lives[profile_power(100)][profile_power(3)].count, 1);
    assert_int_equal(profile.lives[profile_power(100)][profile_power(3)].bytes, 100);
    assert_int_equal(profile_power(100), 7);
    assert_int_equal(profile_power(0), 0);
    assert_int_equal(profile.never_freed, 1);
    profile_release(&profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_are_ordered_and_hold_their_values),
        cmocka_unit_test(sizes_and_lifetimes_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
