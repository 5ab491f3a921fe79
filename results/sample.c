/* One figure of one allocator on one trace, over the repetitions. */
#include "results/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void sample_insert(struct sample *sample, uint64_t repetition, double value)
{
    size_t at = sample->count;
    while (at > 0 && sample->repetitions[at - 1] >= repetition)
        at--;
    bool again = at < sample->count && sample->repetitions[at] == repetition;
    if (!again) {
        size_t after = sample->count++ - at;
        memmove(sample->values + at + 1, sample->values + at, after * sizeof *sample->values);
        memmove(sample->repetitions + at + 1, sample->repetitions + at,
                after * sizeof *sample->repetitions);
    }
    sample->values[at] = value;
    sample->repetitions[at] = repetition;
}

void sample_collect(struct sample *sample, const struct store *store, const char *allocator,
                    const char *trace, const char *pass, const char *figure)
{
    const struct field *field = field_find(cell_fields, cell_field_count, figure);
    size_t cells = store_cell_count(store);
    *sample = (struct sample){.values = calloc(cells + 1, sizeof *sample->values),
                              .repetitions = calloc(cells + 1, sizeof *sample->repetitions)};
    if (!field || !sample->values || !sample->repetitions)
        BUG("no field '%s', or no memory for it", figure);
    for (size_t i = 0; i < cells; i++) {
        const struct cell_result *cell = store_cell(store, i);
        double value = field_number(field, cell);
        if (!isnan(value) && strcmp(cell->status, "ok") == 0 && strcmp(cell->pass, pass) == 0 &&
            strcmp(cell->allocator, allocator) == 0 && strcmp(cell->trace, trace) == 0)
            sample_insert(sample, cell->repetition, value);
    }
}

void sample_release(struct sample *sample)
{
    free(sample->values);
    free(sample->repetitions);
}

/* Packs the values that both sides have to the front of two arrays; returns how many. */
static size_t sample_pairs(const struct sample *a, const struct sample *b, double *left,
                           double *right)
{
    size_t pairs = 0;
    for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
        if (a->repetitions[i] == b->repetitions[j]) {
            left[pairs] = a->values[i++];
            right[pairs++] = b->values[j++];
        } else if (a->repetitions[i] < b->repetitions[j])
            i++;
        else
            j++;
    }
    return pairs;
}

struct interval sample_ratio(const struct sample *a, const struct sample *b, bool paired,
                             uint64_t seed)
{
    if (!paired)
        return statistics_ratio(a->values, a->count, b->values, b->count, seed);
    double *left = calloc(2 * (a->count + 1), sizeof *left), *right = left + a->count + 1;
    if (!left)
        err_no_memory("%zu repetitions", a->count);
    size_t pairs = sample_pairs(a, b, left, right);
    struct interval interval = statistics_ratio_paired(left, right, pairs, seed);
    free(left);
    return interval;
}
