/* Figures side by side in one file never share an id, and names are left as they are. */
#include <stdio.h>
#include <stdlib.h>

#include "plots/drawing.h"
#include "plots/svg.h"
#include "tests/unit.h"

static char *inlined(const char *svg)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    svg_inline(out, svg, "f1-");
    fclose(out);
    return text;
}

static void ids_and_references_are_prefixed(void **state)
{
    (void)state;
    char *text = inlined("<?xml version='1.0'?>\n<!DOCTYPE svg>\n"
                         "<svg><path id='a' fill=\"url(#b)\"/><use xlink:href='#a'/></svg>");
    assert_string_equal(
        text, "<svg><path id='f1-a' fill=\"url(#f1-b)\"/><use xlink:href='#f1-a'/></svg>");
    free(text);
}

static void text_is_left_alone(void **state)
{
    (void)state;
    char *text = inlined("<svg><text>a id='b' url(#c)</text></svg>");
    assert_string_equal(text, "<svg><text>a id='b' url(#c)</text></svg>");
    free(text);
}

static char *as_data(const char *name, size_t columns)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    drawing_text(out, name, columns);
    fclose(out);
    return text;
}

static void names_cannot_leave_their_column(void **state)
{
    (void)state;
    char *text = as_data("a\tb\nc\"d\\e`f`$(g)", 0);
    assert_string_equal(text, "a?b?c″d∖e`f`$(g)");
    free(text);
}

static void long_names_end_in_an_ellipsis(void **state)
{
    (void)state;
    char *cut = as_data("été:option=value", 6), *whole = as_data("été", 3);
    assert_string_equal(cut, "été:o…");
    assert_string_equal(whole, "été");
    free(cut);
    free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_and_references_are_prefixed),
        cmocka_unit_test(text_is_left_alone),
        cmocka_unit_test(names_cannot_leave_their_column),
        cmocka_unit_test(long_names_end_in_an_ellipsis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
