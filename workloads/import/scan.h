/* Reading a line from left to right: each step says whether it could be taken. */
#ifndef WORKLOADS_SCAN_H
#define WORKLOADS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "workloads/bytes.h"

struct scan {
    const char *at, *end;
};

static inline struct scan scan_over(const char *text, size_t length)
{
    return (struct scan){text, text + length};
}

static inline bool scan_done(const struct scan *scan)
{
    return scan->at == scan->end;
}

static inline bool scan_char(struct scan *scan, char wanted)
{
    if (scan_done(scan) || *scan->at != wanted)
        return false;
    scan->at++;
    return true;
}

/* Where the text is known to the compiler, it is compared in one or two steps. */
__attribute__((always_inline)) static inline bool scan_text(struct scan *scan, const char *wanted)
{
    size_t length = strlen(wanted);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, wanted, length) != 0)
        return false;
    scan->at += length;
    return true;
}

/* Any number of blanks, also none. */
static inline bool scan_blanks(struct scan *scan)
{
    while (!scan_done(scan) && (*scan->at == ' ' || *scan->at == '\t'))
        scan->at++;
    return true;
}

/* Whether the eight bytes are all decimal digits: 3 above, and below still 3 with 6 added. */
static inline bool scan_is_digits(uint64_t bytes)
{
    const uint64_t high = UINT64_C(0xf0f0f0f0f0f0f0f0), six = UINT64_C(0x0606060606060606);
    return ((bytes & high) | ((bytes + six) & high) >> 4) == UINT64_C(0x3333333333333333);
}

/* The number of eight digits' worths, the first in the lowest byte: neighbours are added up in
 * pairs, then fours (Lemire, "Quickly parsing eight digits"). */
__attribute__((always_inline)) static inline uint64_t scan_sum(uint64_t worth, uint64_t base)
{
    const uint64_t square = base * base;
    worth = worth * ((base << 8) + 1) >> 8;
    worth = (worth & UINT64_C(0x00ff00ff00ff00ff)) * ((square << 16) + 1) >> 16;
    return (worth & UINT64_C(0x0000ffff0000ffff)) * ((square * square << 32) + 1) >> 32;
}

static inline uint64_t scan_digits(uint64_t bytes)
{
    return scan_sum(bytes & UINT64_C(0x0f0f0f0f0f0f0f0f), 10);
}

/* How many of eight bytes come before the first one that has a bit set. */
static inline unsigned scan_before(uint64_t bits)
{
    return bits ? (unsigned)__builtin_ctzll(bits) / 8 : 8;
}

/* The first `count` >= 1 of the digits' worths, as many zeros before them as they are fewer than
 * eight. */
static inline uint64_t scan_first(uint64_t worth, unsigned count)
{
    return worth << (64 - 8 * count);
}

/* Digits one by one. */
static inline bool scan_decimal_long(struct scan *scan, uint64_t *value)
{
    const char *first = scan->at, *at = first;
    uint64_t sum = 0;
    for (; at < scan->end && (unsigned)(*at - '0') < 10; at++)
        if (__builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
            __builtin_add_overflow(sum, (unsigned)(*at - '0'), &sum))
            return false;
    scan->at = at;
    *value = sum;
    return at != first;
}

/* What follows eight digits at `more`: up to eight bytes, of which none is behind the end. */
static inline uint64_t scan_more(const struct scan *scan, const char *more)
{
    size_t left = (size_t)(scan->end - more);
    if (left >= 8)
        return bytes_get64((const uint8_t *)more);
    return left ? bytes_get64((const uint8_t *)scan->end - 8) >> (64 - 8 * left) : 0;
}

/* How many of eight bytes come before the first that is no decimal digit, and what each is worth.
 */
static inline unsigned scan_count_digits(uint64_t bytes, uint64_t *worth)
{
    const uint64_t one = UINT64_C(0x0101010101010101);
    uint64_t value = *worth = bytes ^ '0' * one;
    return scan_before(((value + (128 - 10) * one) | value) & 128 * one);
}

/* At least one digit; false, too, where the number needs more than 64 bits. How many digits there
 * are cannot be foretold, so that up to fifteen are taken without asking for each. */
static inline bool scan_decimal(struct scan *scan, uint64_t *value)
{
    static const uint64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    uint64_t worth, sum = 0;
    if (scan->end - scan->at < 8)
        return scan_decimal_long(scan, value);
    const char *at = scan->at;
    unsigned count = scan_count_digits(bytes_get64((const uint8_t *)at), &worth);
    if (!count)
        return false;
    if (count == 8) {
        sum = scan_sum(worth, 10);
        at += 8;
        count = scan_count_digits(scan_more(scan, at), &worth);
        if (count == 8)
            return scan_decimal_long(scan, value);
        sum *= tens[count];
    }
    scan->at = at + count;
    *value = count ? sum + scan_sum(scan_first(worth, count), 10) : sum;
    return true;
}

/* Hexadecimal digits plus 1; 0 is none. Looked up, as which of them are letters cannot be foretold.
 */
extern const uint8_t scan_hex_digits[256];

/* How many of eight bytes come before the first that is no hexadecimal digit, and what each is
 * worth: a digit is one if it is what its worth is written as. */
static inline unsigned scan_count_hex(uint64_t bytes, uint64_t *worth)
{
    const uint64_t one = UINT64_C(0x0101010101010101);
    uint64_t letters = bytes >> 6 & one, value = (bytes & 15 * one) + 9 * letters;
    uint64_t beyond_nine = (value + 6 * one) >> 4 & one;
    uint64_t written = value + '0' * one + ('a' - '9' - 1) * beyond_nine;
    *worth = value;
    return scan_before(((bytes | letters << 5) ^ written) | (value & 240 * one));
}

/* Digits one by one. */
static inline bool scan_hex_long(struct scan *scan, uint64_t *value)
{
    const char *first = scan->at, *at = first;
    uint64_t sum = 0;
    for (unsigned digit; at < scan->end && (digit = scan_hex_digits[(uint8_t)*at]); at++) {
        if (sum >> 60)
            return false;
        sum = sum << 4 | (digit - 1);
    }
    scan->at = at;
    *value = sum;
    return at != first;
}

/* Hexadecimal digits without a prefix; at least one, and no more than 64 bits. Addresses have a
 * dozen: eight are taken at once, then up to seven, read so that nothing behind the end is. */
static inline bool scan_hex(struct scan *scan, uint64_t *value)
{
    uint64_t worth, sum = 0;
    if (scan->end - scan->at < 8)
        return scan_hex_long(scan, value);
    const char *at = scan->at;
    unsigned count = scan_count_hex(bytes_get64((const uint8_t *)at), &worth);
    if (!count)
        return false;
    if (count == 8) {
        sum = scan_sum(worth, 16);
        at += 8;
        count = scan_count_hex(scan_more(scan, at), &worth);
        if (count == 8)
            return scan_hex_long(scan, value);
        sum <<= 4 * count;
    }
    scan->at = at + count;
    *value = count ? sum | scan_sum(scan_first(worth, count), 16) : sum;
    return true;
}

/* 0x and hexadecimal digits. */
static inline bool scan_address(struct scan *scan, uint64_t *value)
{
    return scan_text(scan, "0x") && scan_hex(scan, value);
}

/* 0x and hexadecimal digits, or a decimal number. */
static inline bool scan_number(struct scan *scan, uint64_t *value)
{
    struct scan hex = *scan;
    if (!scan_text(&hex, "0x"))
        return scan_decimal(scan, value);
    *scan = hex;
    return scan_hex(scan, value);
}

/* Moves behind the first occurrence of `wanted`, a few letters of which the first is rare. */
static inline bool scan_past(struct scan *scan, const char *wanted)
{
    size_t length = strlen(wanted);
    const char *at = scan->at;
    while ((at = memchr(at, *wanted, (size_t)(scan->end - at)))) {
        if ((size_t)(scan->end - at) < length)
            return false;
        if (memcmp(at, wanted, length) == 0) {
            scan->at = at + length;
            return true;
        }
        at++;
    }
    return false;
}

/* A word up to the next blank. */
static inline bool scan_word(struct scan *scan, const char **word, size_t *length)
{
    *word = scan->at;
    while (!scan_done(scan) && *scan->at != ' ' && *scan->at != '\t')
        scan->at++;
    *length = (size_t)(scan->at - *word);
    return *length != 0;
}

/* The next line of a text; false at its end. For recognising formats. */
static inline bool scan_line(struct scan *text, struct scan *line)
{
    if (scan_done(text))
        return false;
    const char *end = memchr(text->at, '\n', (size_t)(text->end - text->at));
    const char *stop = end ? end : text->end;
    *line = (struct scan){text->at, stop > text->at && stop[-1] == '\r' ? stop - 1 : stop};
    text->at = end ? end + 1 : text->end;
    return true;
}

#endif
