/* The result record as a struct, and as JSON. */
#ifndef RESULTS_RECORD_H
#define RESULTS_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "results/cell.h"
#include "results/fields.h"

struct row {
    ROW_FIELDS(FIELD_TEXT, FIELD_COUNT, FIELD_REAL)
};

struct fidelity_row {
    FIDELITY_FIELDS(FIELD_TEXT, FIELD_COUNT, FIELD_REAL)
};

enum field_type { FIELD_IS_TEXT, FIELD_IS_COUNT, FIELD_IS_REAL };

struct field {
    const char *name;
    enum field_type type;
    const char *unit;
    const char *help;
    size_t offset;
    size_t length; /* of a text */
};

/* A line of a table of fields each, for the lists of fields.h; the struct they lie in is named
 * FIELD_RECORD at that place. */
#define FIELD_TEXT_ROW(name, length, help)                                                         \
    {#name, FIELD_IS_TEXT, "", help, offsetof(FIELD_RECORD, name), length},
#define FIELD_COUNT_ROW(name, unit, help)                                                          \
    {#name, FIELD_IS_COUNT, unit, help, offsetof(FIELD_RECORD, name), 0},
#define FIELD_REAL_ROW(name, unit, help)                                                           \
    {#name, FIELD_IS_REAL, unit, help, offsetof(FIELD_RECORD, name), 0},

extern const struct field cell_fields[];
extern const size_t cell_field_count;
extern const struct field row_fields[];
extern const size_t row_field_count;
extern const struct field fidelity_fields[];
extern const size_t fidelity_field_count;

/* A new object with every field, unmeasured figures as null; never NULL (memory is a BUG). */
json_t *record_to_json(const struct field *fields, size_t count, const void *record);

/* Fields that are missing are set unmeasured; unknown ones are ignored (a newer version wrote
 * them). */
int record_from_json(const struct field *fields, size_t count, const json_t *object, void *record,
                     struct err *err);

/* The field of that name, NULL when there is none. */
const struct field *field_find(const struct field *fields, size_t count, const char *name);

/* The figure as a number, NaN when it was not measured or is a text. */
double field_number(const struct field *field, const void *record);

/* Whether a status is no failure: ok, or an impossible pair (one that was skipped, but not for want
 * of the allocator, which was asked for). */
bool record_status_is_fine(const char *status);

/* Whether allocations failed, so that it served less than was asked. */
bool row_refused(const struct row *row);

/* Whether it did less work than was asked, so that it wins nothing: it never frees, or it refused
 * allocations. */
bool row_did_less(const struct row *row);

/* How many rows from `rows` on are of the same trace. */
size_t row_same_trace(const struct row *rows, size_t count);

/* All unmeasured, texts empty. */
void row_clear(struct row *row);
void fidelity_row_clear(struct fidelity_row *row);

#endif
