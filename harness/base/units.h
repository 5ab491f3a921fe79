/* Sizes and times as people write them: 64k, 1.5G, 200ms, 2m. Nothing here allocates. */
#ifndef HARNESS_BASE_UNITS_H
#define HARNESS_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"

/* Bytes from "4096", "64k", "1.5G" (k, M, G, T in either case, binary, an optional "iB" or "B"). */
int units_parse_size(const char *text, uint64_t *bytes, struct err *err);

/* Nanoseconds from "90", "200ms", "1.5s", "2m", "1h"; a bare number is seconds. */
int units_parse_time(const char *text, uint64_t *ns, struct err *err);

/* A plain whole number without sign or unit. */
int units_parse_count(const char *text, uint64_t *count, struct err *err);

/* Room for any text the formatters below write. */
enum { UNITS_TEXT = 32 };

/* "512 B", "64.0 KiB", "1.50 GiB" into `out`, which is returned. */
const char *units_format_size(char out[UNITS_TEXT], uint64_t bytes);

/* "12.3 ns", "4.56 us", "1.20 s" into `out`, which is returned. */
const char *units_format_time(char out[UNITS_TEXT], double ns);

/* "1,234,567" into `out`, which is returned. */
const char *units_format_count(char out[UNITS_TEXT], uint64_t count);

#endif
