/* Texts that grow by clauses. */
#include "harness/base/clause.h"

#include <string.h>

#include "tests/unit.h"

static void clauses_are_apart(void **state)
{
    (void)state;
    char text[32] = "";
    clause_add(text, sizeof text, "%d of %d", 1, 2);
    assert_string_equal(text, "1 of 2");
    clause_add(text, sizeof text, "%s", "more");
    assert_string_equal(text, "1 of 2; more");
}

/* Nothing behind the room, at every length of what stands there. */
static void what_does_not_fit_is_cut(void **state)
{
    (void)state;
    for (size_t length = 0; length < 8; length++) {
        char text[9];
        memset(text, 'a', length);
        text[length] = '\0';
        text[8] = '!';
        clause_add(text, 8, "%s", "bcdefghi");
        assert_true(strlen(text) < 8);
        assert_int_equal(text[8], '!');
    }
    char text[8] = "aa";
    clause_add(text, sizeof text, "%s", "bcdefghi");
    assert_string_equal(text, "aa; bcd");
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
        cmocka_unit_test(clauses_are_apart),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(what_stands_there_is_not_merged_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
