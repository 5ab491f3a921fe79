/* Texts that grow by clauses. */
#include "harness/base/clause.h"

#include <string.h>

#include "tests/unit.h"

static void clauses_are_added_and_cut(void **state)
{
    (void)state;
    char text[16] = "";
    clause_add(text, sizeof text, "%s", "one");
    assert_string_equal(text, "one");
    clause_add(text, sizeof text, "%d", 2);
    assert_string_equal(text, "one; 2");
    clause_add(text, sizeof text, "a long clause");
    assert_string_equal(text, "one; 2; a long ");
}

static void what_stands_there_is_not_merged_again(void **state)
{
    (void)state;
    char text[64] = "";
    clause_merge(text, sizeof text, "locked; no free");
    assert_string_equal(text, "locked; no free");
    clause_merge(text, sizeof text, "locked; no free; verified");
    assert_string_equal(text, "locked; no free; verified");
    clause_merge(text, sizeof text, "no free");
    clause_merge(text, sizeof text, "");
    assert_string_equal(text, "locked; no free; verified");
    clause_merge(text, sizeof text, "; ; new");
    assert_string_equal(text, "locked; no free; verified; new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clauses_are_added_and_cut),
        cmocka_unit_test(what_stands_there_is_not_merged_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
