/* The result record: its fields as a table, and as JSON. */
#include "results/record.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "results/text.h"

#define FIELD_RECORD struct cell_result
const struct field cell_fields[] = {CELL_FIELDS(FIELD_TEXT_ROW, FIELD_COUNT_ROW, FIELD_REAL_ROW)};
const size_t cell_field_count = sizeof cell_fields / sizeof *cell_fields;
#undef FIELD_RECORD

#define FIELD_RECORD struct row
const struct field row_fields[] = {ROW_FIELDS(FIELD_TEXT_ROW, FIELD_COUNT_ROW, FIELD_REAL_ROW)};
const size_t row_field_count = sizeof row_fields / sizeof *row_fields;
#undef FIELD_RECORD

#define FIELD_RECORD struct fidelity_row
const struct field fidelity_fields[] = {
    FIDELITY_FIELDS(FIELD_TEXT_ROW, FIELD_COUNT_ROW, FIELD_REAL_ROW)};
const size_t fidelity_field_count = sizeof fidelity_fields / sizeof *fidelity_fields;
#undef FIELD_RECORD

enum { RECORD_TEXT_MAX = 512 };

#define RECORD_FITS(name, length, help)                                                            \
    _Static_assert(length <= RECORD_TEXT_MAX, #name " is longer than RECORD_TEXT_MAX");
#define RECORD_ANY(name, unit, help)
CELL_FIELDS(RECORD_FITS, RECORD_ANY, RECORD_ANY)
ROW_FIELDS(RECORD_FITS, RECORD_ANY, RECORD_ANY)
FIDELITY_FIELDS(RECORD_FITS, RECORD_ANY, RECORD_ANY)

static json_t *record_value(const struct field *field, const void *record)
{
    const char *at = (const char *)record + field->offset;
    char text[RECORD_TEXT_MAX];
    uint64_t count;
    double real;
    switch (field->type) {
    case FIELD_IS_TEXT:
        return json_string(text_repair(text, sizeof text, at));
    case FIELD_IS_COUNT:
        memcpy(&count, at, sizeof count);
        return count > INT64_MAX ? json_null() : json_integer((json_int_t)count);
    case FIELD_IS_REAL:
        memcpy(&real, at, sizeof real);
        return isfinite(real) ? json_real(real) : json_null();
    }
    BUG("field %s has no known type", field->name);
}

json_t *record_to_json(const struct field *fields, size_t count, const void *record)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++)
        if (json_object_set_new(object, fields[i].name, record_value(&fields[i], record)) < 0)
            err_no_memory("the field %s", fields[i].name);
    return object;
}

static int record_take(const struct field *field, const json_t *value, void *record)
{
    char *at = (char *)record + field->offset;
    if (field->type == FIELD_IS_TEXT) {
        const char *text = json_string_value(value);
        snprintf(at, field->length, "%s", text ? text : "");
        return !value || text ? 0 : -1;
    }
    bool unknown = !value || json_is_null(value);
    if (field->type == FIELD_IS_COUNT) {
        uint64_t count = unknown ? COUNT_UNKNOWN : (uint64_t)json_integer_value(value);
        memcpy(at, &count, sizeof count);
        return unknown || (json_is_integer(value) && json_integer_value(value) >= 0) ? 0 : -1;
    }
    double real = unknown ? REAL_UNKNOWN : json_number_value(value);
    memcpy(at, &real, sizeof real);
    return unknown || json_is_number(value) ? 0 : -1;
}

int record_from_json(const struct field *fields, size_t count, const json_t *object, void *record,
                     struct err *err)
{
    if (!json_is_object(object))
        return err_set(err, EINVAL, "a result record is a JSON object, and this is none");
    for (size_t i = 0; i < count; i++)
        if (record_take(&fields[i], json_object_get(object, fields[i].name), record) < 0)
            return err_set(err, EINVAL, "the field '%s' is of the wrong type", fields[i].name);
    return 0;
}

bool record_status_is_fine(const char *status)
{
    return strcmp(status, "ok") == 0 ||
           (strncmp(status, "skipped", 7) == 0 && !strstr(status, "not installed"));
}

bool row_refused(const struct row *row)
{
    return row->failed_allocations != COUNT_UNKNOWN && row->failed_allocations > 0;
}

bool row_did_less(const struct row *row)
{
    return !row->frees || row_refused(row);
}

size_t row_same_trace(const struct row *rows, size_t count)
{
    size_t same = 1;
    while (same < count && strcmp(rows[same].trace, rows->trace) == 0)
        same++;
    return same;
}

void row_clear(struct row *row)
{
    struct row *result = row;
    ROW_FIELDS(FIELD_CLEAR_TEXT, FIELD_CLEAR_COUNT, FIELD_CLEAR_REAL)
}

void fidelity_row_clear(struct fidelity_row *row)
{
    struct fidelity_row *result = row;
    FIDELITY_FIELDS(FIELD_CLEAR_TEXT, FIELD_CLEAR_COUNT, FIELD_CLEAR_REAL)
}

const struct field *field_find(const struct field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

double field_number(const struct field *field, const void *record)
{
    const char *at = (const char *)record + field->offset;
    double real = NAN;
    if (field->type == FIELD_IS_REAL)
        memcpy(&real, at, sizeof real);
    if (field->type == FIELD_IS_COUNT) {
        uint64_t count;
        memcpy(&count, at, sizeof count);
        real = count == COUNT_UNKNOWN ? NAN : (double)count;
    }
    return real;
}
