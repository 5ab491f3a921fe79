/* addresses.h and table.h: against a plain list, with neighbours, odd addresses and far ones. */
#include "tests/unit.h"

#include "harness/base/rng.h"
#include "workloads/addresses.h"

enum { PLACES = 3000, STEPS = 200000 };

/* Every way for two places to be neighbours: side by side, in one page with other low bits, alone
 * in a page, in pages that differ only in the upper bits. */
static uint64_t address_of(uint32_t place)
{
    uint64_t index = place / 4;
    switch (place % 4) {
    case 0:
        return UINT64_C(0x7f0000000000) + 16 * index;
    case 1:
        return UINT64_C(0x7f0000000000) + 16 * index + 8;
    case 2:
        return 1 + index * 7;
    default:
        return (index + 1) << 41;
    }
}

static void it_answers_like_a_list(void **state)
{
    static uint32_t number_at[PLACES]; /* + 1, 0: nothing there */
    struct addresses addresses = {0};
    struct rng rng;
    (void)state;
    rng_init(&rng, 7);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t place = (uint32_t)rng_below(&rng, PLACES);
        uint64_t address = address_of(place);
        assert_int_equal(addresses_find(&addresses, address), number_at[place] - 1);
        if (number_at[place]) {
            assert_int_equal(addresses_leave(&addresses, address), number_at[place] - 1);
            number_at[place] = 0;
        } else {
            number_at[place] = step + 1;
            assert_int_equal(addresses_enter(&addresses, address, step), 0);
            assert_int_equal(addresses_enter(&addresses, address, step), 1);
        }
    }
    for (uint32_t place = 0; place < PLACES; place++)
        assert_int_equal(addresses_leave(&addresses, address_of(place)), number_at[place] - 1);
    assert_int_equal(addresses.leaves.count, 0);
    addresses_release(&addresses);
}

static void emptied_leaves_come_back(void **state)
{
    struct addresses addresses = {0};
    (void)state;
    for (uint32_t i = 1; i < 10000; i++) {
        assert_int_equal(addresses_enter(&addresses, (uint64_t)i << 20, i), 0);
        assert_int_equal(addresses_leave(&addresses, (uint64_t)i << 20), i);
        assert_int_equal(addresses_leave(&addresses, (uint64_t)i << 20), ADDRESSES_NONE);
    }
    assert_int_equal(addresses.block_count, 1);
    assert_int_equal(addresses.fresh, ADDRESSES_BLOCK / ADDRESSES_SMALL - ADDRESSES_BYTES);
    addresses_release(&addresses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_answers_like_a_list),
        cmocka_unit_test(emptied_leaves_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
