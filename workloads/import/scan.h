/* Reading a line from left to right: each step says whether it could be taken. */
#ifndef WORKLOADS_SCAN_H
#define WORKLOADS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "workloads/import/digits.h"

/* Behind the end DIGITS_SLACK bytes can be read, which mean nothing. */
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

static inline size_t scan_left(const struct scan *scan)
{
    return (size_t)(scan->end - scan->at);
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
    if (scan_left(scan) < length || memcmp(scan->at, wanted, length) != 0)
        return false;
    scan->at += length;
    return true;
}

static inline bool scan_is_blank(const struct scan *scan)
{
    return !scan_done(scan) && (*scan->at == ' ' || *scan->at == '\t');
}

/* Moves over blanks, of which there is one. */
void scan_blanks_long(struct scan *scan);

/* Any number of blanks, also none. */
static inline bool scan_blanks(struct scan *scan)
{
    if (scan_is_blank(scan)) {
        scan->at++;
        if (scan_is_blank(scan))
            scan_blanks_long(scan);
    }
    return true;
}

/* A decimal number of eight digits or more; false where it needs more than 64 bits. */
bool scan_decimal_long(struct scan *scan, uint64_t *value);

/* At least one digit; false, too, where the number needs more than 64 bits. How many digits there
 * are cannot be foretold, so that they are not asked for one by one. */
static inline bool scan_decimal(struct scan *scan, uint64_t *value)
{
    uint64_t worth;
    unsigned count = digits_count(scan->at, scan_left(scan), &worth);
    if (count == 8)
        return scan_decimal_long(scan, value);
    if (!count)
        return false;
    scan->at += count;
    *value = digits_first(worth, count);
    return true;
}

/* A hexadecimal number of sixteen digits or more; false where it needs more than 64 bits. */
bool scan_hex_long(struct scan *scan, uint64_t *value);

/* Hexadecimal digits without a prefix; at least one, and no more than 64 bits. */
static inline bool scan_hex(struct scan *scan, uint64_t *value)
{
    unsigned count = digits_hex(scan->at, scan_left(scan), value);
    if (count == 16)
        return scan_hex_long(scan, value);
    scan->at += count;
    return count;
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
