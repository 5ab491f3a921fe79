/* The ledger: what is live, and how much of it. */
#include "harness/measure/ledger.h"

#include "tests/unit.h"

static void the_ledger_adds_up(void **state)
{
    (void)state;
    struct ledger ledger;
    assert_int_equal(ledger_init(&ledger, 8, 16, NULL), 0);
    ledger_add(&ledger, 0, 10, 24);
    ledger_add(&ledger, 1, 100, 104);
    assert_int_equal(ledger.live, 110);
    assert_int_equal(ledger.usable, 128);
    assert_int_equal(ledger.rounded, 16 + 112);
    assert_int_equal(ledger.blocks, 2);
    ledger_resize(&ledger, 0, 17, 24);
    assert_int_equal(ledger.live, 117);
    assert_int_equal(ledger.rounded, 32 + 112);
    assert_int_equal(ledger.requested, 127);
    ledger_remove(&ledger, 1);
    ledger_add(&ledger, 1, 0, 24);
    assert_int_equal(ledger.live, 17);
    assert_int_equal(ledger.rounded, 32);
    assert_int_equal(ledger.blocks, 2);
    assert_int_equal(ledger.peak_live, 117);
    assert_int_equal(ledger.peak_usable, 128);
    assert_int_equal(ledger.peak_rounded, 144);
    ledger_release(&ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_ledger_adds_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
