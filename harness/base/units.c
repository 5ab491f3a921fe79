/* Sizes and times as people write them. */
#include "harness/base/units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    double factor;
};

static const struct unit size_units[] = {
    {"", 1},         {"B", 1},       {"k", 0x1p10},   {"kB", 0x1p10},  {"KiB", 0x1p10},
    {"M", 0x1p20},   {"MB", 0x1p20}, {"MiB", 0x1p20}, {"G", 0x1p30},   {"GB", 0x1p30},
    {"GiB", 0x1p30}, {"T", 0x1p40},  {"TB", 0x1p40},  {"TiB", 0x1p40}, {NULL, 0},
};

static const struct unit time_units[] = {
    {"", 1e9},  {"ns", 1},   {"us", 1e3},   {"ms", 1e6},
    {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {NULL, 0},
};

static int units_parse(const char *text, const struct unit *units, uint64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return -1;
    /* Hexadecimal and exponents are strtod's idea of a number, not a person's idea of a size. */
    size_t digits = strspn(text, "0123456789.");
    double number = strtod(text, &end);
    if (end != text + digits)
        return -1;
    for (; units->name; units++)
        if (strcasecmp(units->name, end) == 0) {
            double value = number * units->factor;
            if (value >= 0x1p63)
                return -1;
            *out = strchr(text, '.') ? (uint64_t)llround(value)
                                     : strtoull(text, NULL, 10) * (uint64_t)units->factor;
            return 0;
        }
    return -1;
}

int units_parse_size(const char *text, uint64_t *bytes, struct err *err)
{
    if (units_parse(text, size_units, bytes) < 0)
        return err_set(err, EINVAL, "'%.80s' is not a size; write it like 4096, 64k or 1.5G", text);
    return 0;
}

int units_parse_time(const char *text, uint64_t *ns, struct err *err)
{
    if (units_parse(text, time_units, ns) < 0)
        return err_set(err, EINVAL, "'%.80s' is not a time; write it like 90, 200ms or 2m", text);
    return 0;
}

int units_parse_count(const char *text, uint64_t *count, struct err *err)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno)
        return err_set(err, EINVAL, "'%.80s' is not a whole number", text);
    *count = value;
    return 0;
}

const char *units_format_size(char out[UNITS_TEXT], uint64_t bytes)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    double value = (double)bytes;
    while (value >= 1024 && unit + 1 < sizeof names / sizeof *names) {
        value /= 1024;
        unit++;
    }
    int digits = unit == 0 ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0;
    snprintf(out, UNITS_TEXT, "%.*f %s", digits, value, names[unit]);
    return out;
}

const char *units_format_time(char out[UNITS_TEXT], double ns)
{
    static const struct unit names[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    size_t unit = 0;
    while (unit + 1 < sizeof names / sizeof *names && ns >= names[unit + 1].factor)
        unit++;
    double value = ns / names[unit].factor;
    int digits = value < 10 ? 2 : value < 100 ? 1 : 0;
    snprintf(out, UNITS_TEXT, "%.*f %s", digits, value, names[unit].name);
    return out;
}

const char *units_format_count(char out[UNITS_TEXT], uint64_t count)
{
    char digits[UNITS_TEXT];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *to = out;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}
