/* Reading a line from left to right: each step says whether it could be taken. */
#ifndef WORKLOADS_SCAN_H
#define WORKLOADS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

static inline bool scan_text(struct scan *scan, const char *wanted)
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

/* At least one digit; false, too, where the number needs more than 64 bits. */
static inline bool scan_decimal(struct scan *scan, uint64_t *value)
{
    const char *first = scan->at, *at = first;
    const char *sure = scan->end - first > SCAN_DIGITS ? first + SCAN_DIGITS : scan->end;
    uint64_t sum = 0;
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

/* -1 for what is no hexadecimal digit. */
static inline int scan_digit(char c)
{
    if ((unsigned)(c - '0') < 10)
        return c - '0';
    unsigned letter = (unsigned)((c | 32) - 'a');
    return letter < 6 ? (int)letter + 10 : -1;
}

/* Hexadecimal digits without a prefix; at least one, at most sixteen. */
static inline bool scan_hex(struct scan *scan, uint64_t *value)
{
    const char *first = scan->at, *at = first;
    uint64_t sum = 0;
    for (int digit; at < scan->end && (digit = scan_digit(*at)) >= 0; at++) {
        if (sum >> 60)
            return false;
        sum = sum << 4 | (unsigned)digit;
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
