/* Reading lines: numbers of every length and with every byte behind them, blanks, and texts that
 * are known again. */
#include "workloads/import/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"
#include "workloads/import/memo.h"

enum { TEXT = 40 };

struct number {
    const char *name;
    bool (*take)(struct scan *scan, uint64_t *value);
    int base;
    const char *digits, *most, *too_much; /* the largest number, and one more */
};

static bool take_decimal(struct scan *scan, uint64_t *value)
{
    return scan_decimal(scan, value);
}

static bool take_hex(struct scan *scan, uint64_t *value)
{
    return scan_hex(scan, value);
}

static const struct number numbers[] = {
    {"decimal", take_decimal, 10, "4071829356", "18446744073709551615", "18446744073709551616"},
    {"hex", take_hex, 16, "bF40ac7D18e2953", "ffffffffffffffff", "10000000000000000"}};

/* That of the first `length` bytes, what follows them being digits. */
static void expect(const struct number *number, const char *text, size_t length, size_t digits)
{
    char alone[TEXT] = "";
    struct scan scan = scan_over(text, length);
    uint64_t value = 0;
    memcpy(alone, text, digits);
    assert_int_equal(number->take(&scan, &value), digits > 0);
    assert_ptr_equal(scan.at, text + digits);
    if (digits && value != strtoull(alone, NULL, number->base))
        fail_msg("%s %s is read as %llx", number->name, alone, (unsigned long long)value);
}

/* The digits in every order of beginning, so many of them. */
static void fill(const struct number *number, char *text, size_t from)
{
    size_t count = strlen(number->digits);
    for (size_t i = 0; i < TEXT; i++)
        text[i] = number->digits[(from + i) % count];
}

static void every_length(void **state)
{
    (void)state;
    char text[TEXT];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (size_t from = 0; from < 10; from++)
            for (size_t digits = 0; digits < 16; digits++) {
                fill(&numbers[i], text, from);
                expect(&numbers[i], text, digits, digits);
                text[digits] = ' ';
                expect(&numbers[i], text, TEXT - DIGITS_SLACK, digits);
            }
}

static void every_byte_ends_a_number_or_is_a_digit(void **state)
{
    (void)state;
    char text[TEXT], digit[2] = "", *end;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (int byte = 1; byte < 256; byte++) {
            digit[0] = (char)byte;
            strtoull(digit, &end, numbers[i].base);
            bool is_digit = byte > ' ' && byte != '+' && byte != '-' && *end == '\0';
            fill(&numbers[i], text, 0);
            text[5] = (char)byte;
            text[6] = ' ';
            expect(&numbers[i], text, TEXT - DIGITS_SLACK, is_digit ? 6 : 5);
        }
}

static void the_largest_number_and_one_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[TEXT] = "";
        uint64_t value;
        strcpy(text, numbers[i].most);
        expect(&numbers[i], text, strlen(text), strlen(text));
        strcpy(text, numbers[i].too_much);
        struct scan scan = scan_over(text, strlen(text));
        assert_false(numbers[i].take(&scan, &value));
        assert_ptr_equal(scan.at, text);
    }
}

static void columns_of_blanks(void **state)
{
    (void)state;
    char text[TEXT];
    for (size_t count = 0; count < 20; count++)
        for (size_t tab = 0; tab < 20; tab++) {
            memset(text, ' ', sizeof text);
            text[tab] = '\t';
            struct scan scan = scan_over(text, count);
            scan_blanks(&scan);
            assert_true(scan_done(&scan));
            text[count] = 'x';
            scan = scan_over(text, sizeof text - DIGITS_SLACK);
            scan_blanks(&scan);
            assert_ptr_equal(scan.at, text + count);
        }
}

/* All that differ in one byte only are told apart. */
static void texts_are_known_again(void **state)
{
    (void)state;
    static struct memo places[MEMO_PLACES];
    struct memo *memo;
    char text[MEMO_TEXT + 1];
    for (size_t length = 0; length <= sizeof text; length++) {
        memset(text, 'a', sizeof text);
        bool known = memo_find(places, sizeof *places, text, length, &memo);
        assert_false(known);
        memo_keep(memo, text, length);
        known = memo_find(places, sizeof *places, text, length, &memo);
        assert_int_equal(known, length >= MEMO_LEAST && length <= MEMO_TEXT);
        for (size_t i = 0; known && i < length; i++) {
            text[i] = 'b';
            assert_false(memo_find(places, sizeof *places, text, length, &memo));
            assert_false(memo_is(memo, text, length));
            text[i] = 'a';
        }
        assert_int_equal(memo_find(places, sizeof *places, text, length, &memo), known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length),
        cmocka_unit_test(every_byte_ends_a_number_or_is_a_digit),
        cmocka_unit_test(the_largest_number_and_one_more),
        cmocka_unit_test(columns_of_blanks),
        cmocka_unit_test(texts_are_known_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
