/* Where the footprint went: split.jsonl of a run folder, appended to by 'bench explain'. */
#ifndef RESULTS_BREAKDOWN_H
#define RESULTS_BREAKDOWN_H

#include "results/record.h"
#include "results/store.h"

struct breakdown {
    BREAKDOWN_FIELDS(FIELD_TEXT, FIELD_COUNT, FIELD_REAL)
};

extern const struct field breakdown_fields[];
extern const size_t breakdown_field_count;

/* The same by their place among the others. */
extern const struct field breakdown_part_fields[], breakdown_beside_fields[],
    breakdown_rest_fields[], breakdown_inside_fields[];
extern const size_t breakdown_part_count, breakdown_beside_count, breakdown_rest_count,
    breakdown_inside_count;

void breakdown_clear(struct breakdown *breakdown); /* all unmeasured, texts empty */

uint64_t breakdown_sum(const struct breakdown *breakdown); /* of its parts */

/* The heap's share: the sum less the rest of the process. */
uint64_t breakdown_heap(const struct breakdown *breakdown);

/* Appends one line, synced; `line` has the fields of a split and may have more. */
int breakdown_append(const struct store *store, const json_t *line, struct err *err);

/* Those of a trace with nothing left out, in the order in which allocators and moments first came;
 * of each allocator and moment the last. Owned by the caller (free); NULL and 0 when there are
 * none. */
struct breakdown *breakdown_read(const struct store *store, const char *trace, size_t *count);

#endif
