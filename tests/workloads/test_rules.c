/* rules.h: what is remembered of an address is what its tables tell, however many there are. */
#include "tests/unit.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>

#include "workloads/record/rules.h"

enum { STEP = 7 };

static unsigned told;
static uintptr_t told_start, told_end;

static void tell(uintptr_t start, uintptr_t end, uintptr_t bias, const char *path)
{
    (void)bias;
    assert_non_null(path);
    told++;
    told_start = start;
    told_end = end;
}

/* From the tables, each time anew. */
static struct eh_rule read_rule(uintptr_t address)
{
    struct eh_rule rule = {0};
    struct dl_find_object object;
    if (_dl_find_object((void *)(address - 1), &object) || !object.dlfo_eh_frame ||
        !eh_frame_rule(object.dlfo_eh_frame, address - 1, &rule))
        return (struct eh_rule){0};
    return rule;
}

static bool is_same(struct eh_rule a, struct eh_rule b)
{
    if (!a.usable)
        return !b.usable && !a.cfa_offset == !b.cfa_offset;
    return b.usable && a.cfa_offset == b.cfa_offset && a.bp_offset == b.bp_offset &&
           a.cfa_is_bp == b.cfa_is_bp;
}

static struct dl_find_object library(void)
{
    struct dl_find_object object;
    assert_int_equal(_dl_find_object((void *)(uintptr_t)qsort, &object), 0);
    return object;
}

/* Of the C library there are many times more than there is room for. */
static void test_every_address(void **state)
{
    struct dl_find_object object = library();
    uintptr_t start = (uintptr_t)object.dlfo_map_start, end = (uintptr_t)object.dlfo_map_end;
    unsigned usable = 0;
    (void)state;
    for (uintptr_t address = start + 1; address < end; address += STEP) {
        struct eh_rule expected = read_rule(address);
        usable += expected.usable;
        assert_true(is_same(rules_of(address, tell), expected));
        assert_true(is_same(rules_of(address, tell), expected));
        uintptr_t again = start + 1 + (address - start) / 2 / STEP * STEP;
        assert_true(is_same(rules_of(again, tell), read_rule(again)));
    }
    assert_true(usable > 10000);
}

/* Of those that are like one but for two bits many have the same place. */
static void test_no_other_address(void **state)
{
    uintptr_t address = (uintptr_t)qsort + 1;
    unsigned same_place = 0;
    (void)state;
    for (unsigned bit = 0; bit < RULES_ADDRESS_BITS; bit++)
        for (unsigned second = 0; second <= bit; second++) {
            uintptr_t other = (address ^ (uintptr_t)1 << bit) ^ (uintptr_t)(second < bit) << second;
            assert_true(rules_of(address, tell).usable);
            assert_true(is_same(rules_of(other, tell), read_rule(other)));
            same_place += (rules_first(other) ^ rules_first(address)) < RULES_PLACES;
        }
    assert_true(same_place > RULES_ADDRESS_BITS / 2);
}

static void test_forgotten(void **state)
{
    struct dl_find_object object = library();
    (void)state;
    rules_forget();
    told = 0;
    rules_of((uintptr_t)qsort + 1, tell);
    rules_of((uintptr_t)bsearch + 1, tell);
    assert_int_equal(told, 1);
    assert_true(told_start == (uintptr_t)object.dlfo_map_start);
    assert_true(told_end == (uintptr_t)object.dlfo_map_end);
    rules_forget();
    rules_of((uintptr_t)qsort + 1, tell);
    assert_int_equal(told, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_address),
        cmocka_unit_test(test_no_other_address),
        cmocka_unit_test(test_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
