/* Size profiles from CSV. */
#include "workloads/generate/size_profile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "harness/base/nearest.h"

enum { SIZE, RATE, COUNT, COLUMNS, FIELDS = 64, ROWS = 65536 };

static const struct size_profile_column {
    const char *name;
    unsigned decimals; /* that are kept */
    uint64_t most;     /* in units of one */
} size_profile_columns[COLUMNS] = {
    {"size", 0, UINT64_C(1) << 40}, {"alloc_rate", 9, 1000000000}, {"live_count", 9, 1000000000}};

struct size_profile_reading {
    struct size_profile *profile;
    const char *name;
    unsigned line;
    size_t place[COLUMNS]; /* of each column among a line's fields */
    size_t fields;         /* that a line has at least; 0: nothing is known yet */
};

__attribute__((format(printf, 3, 4))) static int
size_profile_wrong(const struct size_profile_reading *reading, struct err *err, const char *format,
                   ...)
{
    char what[300];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return err_set(err, EINVAL, "line %u of %.200s %s", reading->line, reading->name, what);
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* Takes the next field off a line, in place: without blanks around it, and without its quotes. */
static char *size_profile_field(char **rest)
{
    char *at = *rest + strspn(*rest, " \t"), *field = at, *to = at;
    bool quoted = *at == '"';
    for (at += quoted; *at && (quoted || *at != ','); at++) {
        if (quoted && *at == '"' && *++at != '"')
            break;
        *to++ = *at;
    }
    at += strcspn(at, ",");
    *rest = *at ? at + 1 : NULL;
    *to = '\0';
    while (to > field && strchr(" \t\r\n", to[-1]))
        *--to = '\0';
    return field;
}

static size_t size_profile_split(char *line, char *fields[FIELDS])
{
    size_t count = 0;
    while (line && count < FIELDS)
        fields[count++] = size_profile_field(&line);
    return count;
}

/* ---- numbers --------------------------------------------------------------------------------- */

struct size_profile_number {
    uint64_t digits; /* the first 19 that count */
    long scale;      /* times ten to this */
    bool exact;      /* nothing was dropped */
};

/* An exponent, if there is one, and the end. */
static bool size_profile_exponent(const char *at, struct size_profile_number *number)
{
    char *end;
    if (!*at)
        return true;
    if ((*at != 'e' && *at != 'E') || !at[1] || strchr(" \t", at[1]))
        return false;
    long exponent = strtol(at + 1, &end, 10);
    /* Beyond every number that is one here, and far from the ends of a long. */
    number->scale += exponent > 1000 ? 1000 : exponent < -1000 ? -1000 : exponent;
    return !*end;
}

static bool size_profile_digits(const char *at, struct size_profile_number *number)
{
    bool point = false, any = false;
    *number = (struct size_profile_number){.exact = true};
    for (; (*at >= '0' && *at <= '9') || (*at == '.' && !point); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        any = true;
        if (number->digits >= UINT64_C(1000000000000000000)) {
            number->exact &= *at == '0';
            number->scale += !point;
            continue;
        }
        number->digits = number->digits * 10 + (uint64_t)(*at - '0');
        number->scale -= point;
    }
    return any && size_profile_exponent(at, number);
}

/* Its value with so many decimals kept; UINT64_MAX where that is too much for it. */
static uint64_t size_profile_scaled(struct size_profile_number *number, unsigned decimals)
{
    long scale = number->scale + (long)decimals;
    uint64_t value = number->digits;
    for (; scale > 0 && value; scale--)
        if (__builtin_mul_overflow(value, 10, &value))
            return UINT64_MAX;
    for (; scale < 0 && value; scale++) {
        number->exact &= value % 10 == 0;
        value /= 10;
    }
    return value;
}

static int size_profile_value(const struct size_profile_reading *reading, char *fields[FIELDS],
                              int column, uint64_t *value, struct err *err)
{
    const struct size_profile_column *about = &size_profile_columns[column];
    const char *text = fields[reading->place[column]];
    struct size_profile_number number;
    uint64_t one = about->decimals ? SIZE_PROFILE_ONE : 1;
    if (*text == '-')
        return size_profile_wrong(reading, err, "has a negative %s, '%.40s'", about->name, text);
    if (!size_profile_digits(text, &number))
        return size_profile_wrong(reading, err, "has the %s '%.40s', which is no number",
                                  about->name, text);
    *value = size_profile_scaled(&number, about->decimals);
    if (*value > about->most * one)
        return size_profile_wrong(reading, err, "has the %s '%.40s': more than %llu is too much",
                                  about->name, text, (unsigned long long)about->most);
    if (!about->decimals && !number.exact)
        return size_profile_wrong(reading, err, "has the %s '%.40s': bytes are whole", about->name,
                                  text);
    return 0;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* A header says where the columns are. */
static int size_profile_header(struct size_profile_reading *reading, char *fields[FIELDS],
                               size_t count, struct err *err)
{
    for (int column = 0; column < COLUMNS; column++) {
        const char *name = size_profile_columns[column].name;
        struct nearest nearest = nearest_to(name);
        size_t place = 0;
        while (place < count && strcasecmp(fields[place], name) != 0)
            nearest_offer(&nearest, fields[place++]);
        if (place == count)
            return size_profile_wrong(reading, err,
                                      "names no column '%s'%s: it needs size, alloc_rate and "
                                      "live_count, with commas between them",
                                      name, nearest_hint(&nearest).text);
        reading->place[column] = place;
    }
    reading->fields = count;
    return 0;
}

static int size_profile_row(struct size_profile_reading *reading, char *fields[FIELDS],
                            size_t count, struct err *err)
{
    struct size_profile *profile = reading->profile;
    struct size_profile_row row;
    if (count != reading->fields)
        return size_profile_wrong(reading, err, "has %zu field%s instead of %zu", count,
                                  count == 1 ? "" : "s", reading->fields);
    if (profile->count == ROWS)
        return err_set(err, E2BIG, "%.200s has more than %d rows", reading->name, ROWS);
    int failed = size_profile_value(reading, fields, SIZE, &row.size, err);
    if (!failed)
        failed = size_profile_value(reading, fields, RATE, &row.rate, err);
    if (!failed)
        failed = size_profile_value(reading, fields, COUNT, &row.count, err);
    profile->rows[profile->count] = row;
    profile->count += !failed;
    return failed;
}

/* The first line that is not blank tells whether there is a header. */
static int size_profile_line(struct size_profile_reading *reading, char *line, struct err *err)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    char *fields[FIELDS];
    if (reading->line == 1 && strncmp(line, byte_order_mark, 3) == 0)
        line += 3;
    char first = line[strspn(line, " \t\r\n")];
    if (!first || first == '#')
        return 0;
    size_t count = size_profile_split(line, fields);
    if (!reading->fields) {
        if (!strchr("0123456789.-+", *fields[0]))
            return size_profile_header(reading, fields, count, err);
        reading->fields = COLUMNS;
    }
    return size_profile_row(reading, fields, count, err);
}

/* By all of a row, so that the order is the same whatever the sorting does with equals. */
static int size_profile_order(const void *a, const void *b)
{
    const struct size_profile_row *left = a, *right = b;
    if (left->size != right->size)
        return left->size > right->size ? 1 : -1;
    if (left->rate != right->rate)
        return left->rate > right->rate ? 1 : -1;
    return (left->count > right->count) - (left->count < right->count);
}

int size_profile_read(struct size_profile *profile, FILE *file, const char *name, struct err *err)
{
    struct size_profile_reading reading = {
        .profile = profile, .name = name, .place = {SIZE, RATE, COUNT}};
    char *line = NULL;
    size_t room = 0;
    *profile = (struct size_profile){.rows = calloc(ROWS, sizeof *profile->rows)};
    int failed = profile->rows ? 0 : err_set(err, ENOMEM, "no memory left to read %.200s", name);
    while (!failed && getline(&line, &room, file) > 0) {
        reading.line++;
        failed = size_profile_line(&reading, line, err);
    }
    free(line);
    if (!failed && ferror(file))
        failed = err_set(err, errno, "cannot read %.200s: %s", name, strerror(errno));
    if (!failed && !profile->count)
        failed = err_set(err, EINVAL, "%.200s holds no rows of size, alloc_rate, live_count", name);
    if (!failed)
        qsort(profile->rows, profile->count, sizeof *profile->rows, size_profile_order);
    return failed;
}

void size_profile_release(struct size_profile *profile)
{
    free(profile->rows);
}
