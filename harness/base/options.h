/* Option tables: one row an option, from which parsing, help, `bench list` and the result record
 * follow. Nothing here allocates; text values point into what the caller passed. */
#ifndef HARNESS_BASE_OPTIONS_H
#define HARNESS_BASE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"

enum option_type {
    OPTION_FLAG,   /* 0|1, also no|yes, off|on; number is 0 or 1 */
    OPTION_COUNT,  /* a whole number */
    OPTION_SIZE,   /* bytes: 64k, 1.5G */
    OPTION_TIME,   /* nanoseconds: 200ms */
    OPTION_CHOICE, /* one of `choices` ("first|best|next"); number is its place */
    OPTION_TEXT,   /* anything; borrowed */
};

struct option_row {
    const char *name; /* NULL ends a table */
    enum option_type type;
    const char *fallback; /* the default, written as a user would; NULL: unset (number 0) */
    const char *help;     /* one line */
    const char *choices;  /* OPTION_CHOICE only */
};

union option_value {
    uint64_t number;
    const char *text;
};

enum { OPTIONS_MAX = 16 }; /* rows a table may have */

/* Rows of a table; NULL is an empty one. */
size_t options_count(const struct option_row *rows);

/* Fills `values` (one a row, in order) from the table's defaults. */
int options_default(const struct option_row *rows, union option_value *values, struct err *err);

/* Sets the option `name` of `owner` (named in the error, as is the nearest known option). */
int options_assign(const struct option_row *rows, union option_value *values, const char *owner,
                   const char *name, const char *value, struct err *err);

#endif
