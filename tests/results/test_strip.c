/* Rows of shares as text. */
#include "results/strip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

static char *written(const double *shares, size_t count)
{
    char *text;
    size_t length;
    struct strip strip = {.out = open_memstream(&text, &length)};
    for (size_t i = 0; i < count; i++)
        strip_add(&strip, shares[i]);
    strip_end(&strip);
    fclose(strip.out);
    return text;
}

static void equal_stretches_are_counted(void **state)
{
    (void)state;
    static const double shares[] = {0, 0, 0, 0.001, 0.999, 0.999, 1, 1.5, 1, NAN, 0.5};
    char *text = written(shares, sizeof shares / sizeof *shares);
    assert_string_equal(text, "3AByy3z-a");
    free(text);
}

static void nothing_and_all_are_exact(void **state)
{
    (void)state;
    float shares[8];
    assert_int_equal(strip_read("2Az-By", shares, 8), 6);
    assert_true(shares[0] == 0 && shares[1] == 0 && shares[2] == 1 && isnan(shares[3]));
    assert_true(shares[4] > 0 && shares[4] < 0.02 && shares[5] < 1 && shares[5] > 0.98);
}

static void every_share_comes_back_within_a_hundredth(void **state)
{
    (void)state;
    for (int i = 0; i <= 1000; i++) {
        double share = i / 1000.0;
        float back = -1;
        char *text = written(&share, 1);
        assert_int_equal(strip_read(text, &back, 1), 1);
        assert_true(fabs(back - share) <= 0.0101);
        free(text);
    }
}

static void damage_ends_it(void **state)
{
    (void)state;
    float shares[4];
    assert_int_equal(strip_read("A?z", shares, 4), 1);
    assert_int_equal(strip_read("99999999999999999999z", shares, 4), 4);
    assert_int_equal(strip_read("12", shares, 4), 0);
    assert_int_equal(strip_read("", shares, 4), 0);
    assert_int_equal(strip_read("\xff", shares, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_stretches_are_counted),
        cmocka_unit_test(nothing_and_all_are_exact),
        cmocka_unit_test(every_share_comes_back_within_a_hundredth),
        cmocka_unit_test(damage_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
