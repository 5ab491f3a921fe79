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

enum { SCAN_DIGITS = 19 }; /* decimal ones that cannot need more than 64 bits */

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

/* At least one digit; false, too, where the number needs more than 64 bits. */
static inline bool scan_decimal(struct scan *scan, uint64_t *value)
{
    const char *first = scan->at, *at = first;
    const char *sure = scan->end - first > SCAN_DIGITS ? first + SCAN_DIGITS : scan->end;
    uint64_t sum = 0, bytes;
    for (; sure - at >= 8 && (bytes = bytes_get64((const uint8_t *)at), scan_is_digits(bytes));
         at += 8)
        sum = sum * 100000000 + scan_digits(bytes);
    for (; at < sure && (unsigned)(*at - '0') < 10; at++)
        sum = sum * 10 + (unsigned)(*at - '0');
    for (; at < scan->end && (unsigned)(*at - '0') < 10; at++)
        if (__builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
            __builtin_add_overflow(sum, (unsigned)(*at - '0'), &sum))
            return false;
    scan->at = at;
    *value = sum;
    return at != first;
}

/* Hexadecimal digits plus 1; 0 is none. Looked up, as which of them are letters cannot be foretold.
 */
extern const uint8_t scan_hex_digits[256];

/* Whether the eight bytes are all hexadecimal digits, and what each is worth: a digit is one if it
 * is what its worth is written as. */
static inline bool scan_is_hex(uint64_t bytes, uint64_t *worth)
{
    const uint64_t one = UINT64_C(0x0101010101010101);
    uint64_t letters = bytes >> 6 & one, value = (bytes & 15 * one) + 9 * letters;
    uint64_t beyond_nine = (value + 6 * one) >> 4 & one;
    uint64_t written = value + '0' * one + ('a' - '9' - 1) * beyond_nine;
    *worth = value;
    return (bytes | letters << 5) == written && !(value & 240 * one);
}

/* Hexadecimal digits without a prefix; at least one, and no more than 64 bits. Addresses have a
 * dozen. */
static inline bool scan_hex(struct scan *scan, uint64_t *value)
{
    const char *first = scan->at, *at = first;
    uint64_t sum = 0, worth;
    if (scan->end - at >= 8 && scan_hex_digits[(uint8_t)at[7]] &&
        scan_is_hex(bytes_get64((const uint8_t *)at), &worth)) {
        sum = scan_sum(worth, 16);
        at += 8;
    }
    for (unsigned digit; at < scan->end && (digit = scan_hex_digits[(uint8_t)*at]); at++) {
        if (sum >> 60)
            return false;
        sum = sum << 4 | (digit - 1);
    }
    scan->at = at;
    *value = sum;
    return at != first;
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

/* Moves behind the first occurrence of `wanted`. */
static inline bool scan_past(struct scan *scan, const char *wanted)
{
    size_t length = strlen(wanted);
    const char *found = memmem(scan->at, (size_t)(scan->end - scan->at), wanted, length);
    if (found)
        scan->at = found + length;
    return found;
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
