/* How well the replay foretold the real program. */
#include "results/fidelity.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "results/asked.h"
#include "results/grid.h"
#include "results/sample.h"
#include "results/text.h"

/* --- rows --- */

static double fidelity_median(const struct store *store, const struct fidelity_row *row,
                              const char *pass, const char *figure, double *spread)
{
    struct sample sample;
    sample_collect(&sample, store, row->allocator, row->trace, pass, figure);
    double median = statistics_median(sample.values, sample.count);
    if (spread)
        *spread = statistics_spread(sample.values, sample.count);
    sample_release(&sample);
    return median;
}

static uint64_t fidelity_count(double value)
{
    return isnan(value) ? COUNT_UNKNOWN : (uint64_t)value;
}

/* The first cell that failed says what became of the row; else the first warning is kept. */
static void fidelity_status(struct fidelity_row *row, const struct store *store)
{
    uint64_t sound = 0;
    strcpy(row->status, "ok");
    for (size_t i = 0; i < store_cell_count(store); i++) {
        const struct cell_result *cell = store_cell(store, i);
        if (strcmp(cell->allocator, row->allocator) != 0 || strcmp(cell->trace, row->trace) != 0 ||
            strcmp(cell->pass, FIDELITY_UNTOUCHED) == 0)
            continue;
        bool ok = strcmp(cell->status, "ok") == 0;
        sound += ok && strcmp(cell->pass, FIDELITY_PROGRAM) == 0;
        if (strcmp(cell->pass, "memory") == 0) {
            strcpy(row->touch, cell->touch);
            strcpy(row->pace, cell->pace);
        }
        if (!ok && strcmp(row->status, "ok") == 0) {
            snprintf(row->status, sizeof row->status, "%s", cell->status);
            snprintf(row->detail, sizeof row->detail, "%s", cell->detail);
        } else if (ok && strcmp(row->status, "ok") == 0 && !*row->detail) {
            snprintf(row->detail, sizeof row->detail, "%s", cell->detail);
        }
    }
    row->repetitions = sound;
}

/* P, and what the allocator had set up before the first event: the real heap holds that too. */
static double fidelity_replayed(const struct store *store, const struct fidelity_row *row,
                                const char *pass)
{
    return fidelity_median(store, row, pass, "peak_rss_bytes", NULL) +
           fidelity_median(store, row, pass, "base_heap_bytes", NULL);
}

static double fidelity_untouched(const struct store *store, const char *trace)
{
    for (size_t i = 0; i < store_cell_count(store); i++) {
        const struct cell_result *cell = store_cell(store, i);
        if (strcmp(cell->pass, FIDELITY_UNTOUCHED) == 0 && strcmp(cell->trace, trace) == 0 &&
            strcmp(cell->status, "ok") == 0 && cell->absent_bytes != COUNT_UNKNOWN)
            return (double)cell->absent_bytes;
    }
    return REAL_UNKNOWN;
}

static void fidelity_fill(struct fidelity_row *row, const struct store *store)
{
    fidelity_status(row, store);
    row->heap_bytes = fidelity_median(store, row, FIDELITY_WATCH, "heap_bytes", &row->heap_spread);
    row->own_bytes = fidelity_median(store, row, FIDELITY_WATCH, "own_bytes", NULL);
    row->stack_bytes = fidelity_median(store, row, FIDELITY_WATCH, "stack_bytes", NULL);
    row->data_bytes = fidelity_median(store, row, FIDELITY_WATCH, "data_bytes", NULL);
    row->file_bytes = fidelity_median(store, row, FIDELITY_WATCH, "file_bytes", NULL);
    row->processes = fidelity_count(fidelity_median(store, row, FIDELITY_WATCH, "processes", NULL));
    row->peak_rss_bytes = fidelity_median(store, row, FIDELITY_WATCH, "peak_rss_bytes", NULL);
    row->cpu_ns = fidelity_median(store, row, FIDELITY_PROGRAM, "cpu_ns", &row->cpu_spread);
    row->replayed_bytes = fidelity_replayed(store, row, "memory");
    row->live_bytes = fidelity_median(store, row, "memory", "peak_live_bytes", NULL);
    row->replayed_ns = fidelity_median(store, row, "throughput", "cpu_ns", NULL);
    row->error = row->replayed_bytes / row->heap_bytes - 1;
    row->paced_bytes = fidelity_replayed(store, row, FIDELITY_PACED);
    row->unsampled_bytes = fidelity_median(store, row, "throughput", "peak_rss_bytes", NULL) +
                           fidelity_median(store, row, "memory", "base_heap_bytes", NULL);
    row->bare_bytes = fidelity_replayed(store, row, FIDELITY_BARE);
    row->threads = fidelity_count(fidelity_median(store, row, "memory", "threads_recorded", NULL));
    row->untouched_bytes = fidelity_untouched(store, row->trace);
    fidelity_explain(row);
}

/* --- orders --- */

static void fidelity_note_wrong(struct fidelity_order *order, const char *first, const char *second)
{
    size_t used = strlen(order->wrong);
    snprintf(order->wrong + used, sizeof order->wrong - used, "%s%.60s before %.60s",
             used ? ", " : "", first, second);
}

/* `real` and `replayed` are of a less than of b where negative. */
static void fidelity_judge(struct fidelity_order *order, const struct fidelity_row *a,
                           const struct fidelity_row *b, double real, double replayed)
{
    order->pairs++;
    if ((real < 0) == (replayed < 0))
        order->same++;
    else
        fidelity_note_wrong(order, real < 0 ? a->allocator : b->allocator,
                            real < 0 ? b->allocator : a->allocator);
}

static void fidelity_compare_memory(struct fidelity *fidelity, const struct fidelity_row *a,
                                    const struct fidelity_row *b)
{
    double least = fmin(a->heap_bytes, b->heap_bytes);
    double replayed = a->replayed_bytes - b->replayed_bytes;
    if (!isnan(replayed) && fabs(a->heap_bytes - b->heap_bytes) > FIDELITY_DIFFERENCE * least)
        fidelity_judge(&fidelity->memory, a, b, a->heap_bytes - b->heap_bytes, replayed);
}

/* Whether no value of one lies among those of the other. */
static bool fidelity_are_apart(const struct sample *a, const struct sample *b)
{
    return statistics_percentile(a->values, a->count, 1) <
               statistics_percentile(b->values, b->count, 0) ||
           statistics_percentile(b->values, b->count, 1) <
               statistics_percentile(a->values, a->count, 0);
}

static void fidelity_compare_time(struct fidelity *fidelity, const struct store *store,
                                  const struct fidelity_row *a, const struct fidelity_row *b)
{
    struct sample left, right;
    double real = a->cpu_ns - b->cpu_ns, replayed = a->replayed_ns - b->replayed_ns;
    sample_collect(&left, store, a->allocator, a->trace, FIDELITY_PROGRAM, "cpu_ns");
    sample_collect(&right, store, b->allocator, b->trace, FIDELITY_PROGRAM, "cpu_ns");
    if (!isnan(replayed) && fidelity_are_apart(&left, &right) &&
        fabs(real) > FIDELITY_DIFFERENCE * fmin(a->cpu_ns, b->cpu_ns))
        fidelity_judge(&fidelity->time, a, b, real, replayed);
    sample_release(&left);
    sample_release(&right);
}

bool fidelity_is_asked(const struct store *store, const char *trace)
{
    for (size_t i = 0; i < store_cell_count(store); i++) {
        const struct cell_result *cell = store_cell(store, i);
        if (strcmp(cell->trace, trace) == 0 &&
            (strcmp(cell->pass, FIDELITY_PROGRAM) == 0 || strcmp(cell->pass, FIDELITY_WATCH) == 0))
            return true;
    }
    return false;
}

struct fidelity fidelity_of(const struct store *store, const char *trace)
{
    struct fidelity fidelity = {0};
    const char **allocators = asked_allocators(store);
    while (allocators[fidelity.count])
        fidelity.count++;
    fidelity.rows = calloc(fidelity.count + 1, sizeof *fidelity.rows);
    if (!fidelity.rows)
        err_no_memory("%zu rows", fidelity.count);
    for (size_t i = 0; i < fidelity.count; i++) {
        struct fidelity_row *row = &fidelity.rows[i];
        fidelity_row_clear(row);
        snprintf(row->trace, sizeof row->trace, "%s", trace);
        snprintf(row->allocator, sizeof row->allocator, "%s", allocators[i]);
        fidelity_fill(row, store);
        for (size_t j = 0; j < i; j++) {
            fidelity_compare_memory(&fidelity, &fidelity.rows[j], row);
            fidelity_compare_time(&fidelity, store, &fidelity.rows[j], row);
        }
    }
    free(allocators);
    return fidelity;
}

void fidelity_release(struct fidelity *fidelity)
{
    free(fidelity->rows);
}

/* --- as JSON --- */

static json_t *fidelity_order_json(const struct fidelity_order *order)
{
    return json_pack("{s:I, s:I}", "pairs", (json_int_t)order->pairs, "same",
                     (json_int_t)order->same);
}

json_t *fidelity_json(const struct fidelity *fidelity)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < fidelity->count; i++)
        json_array_append_new(
            rows, record_to_json(fidelity_fields, fidelity_field_count, &fidelity->rows[i]));
    return json_pack("{s:o, s:{s:o, s:o}}", "rows", rows, "orders", "memory",
                     fidelity_order_json(&fidelity->memory), "time",
                     fidelity_order_json(&fidelity->time));
}

/* --- as text --- */

static void fidelity_size(char cell[GRID_TEXT], double bytes)
{
    char text[UNITS_TEXT];
    snprintf(cell, GRID_TEXT, "%s", isnan(bytes) ? "-" : units_format_size(text, (uint64_t)bytes));
}

static void fidelity_time(char cell[GRID_TEXT], double ns)
{
    char text[UNITS_TEXT];
    snprintf(cell, GRID_TEXT, "%s", isnan(ns) ? "-" : units_format_time(text, ns));
}

static void fidelity_share(char cell[GRID_TEXT], const char *format, double share)
{
    if (isnan(share))
        strcpy(cell, "-");
    else
        snprintf(cell, GRID_TEXT, format, 100 * share);
}

enum { FIDELITY_COLUMNS = 9 };

static void fidelity_write(char (*cells)[GRID_TEXT], const struct fidelity_row *row)
{
    snprintf(cells[0], GRID_TEXT, "%.60s", row->allocator);
    fidelity_size(cells[1], row->heap_bytes);
    fidelity_share(cells[2], "%.1f %%", row->heap_spread);
    fidelity_size(cells[3], row->replayed_bytes);
    fidelity_share(cells[4], "%+.1f %%", row->error);
    fidelity_size(cells[5], row->peak_rss_bytes);
    fidelity_time(cells[6], row->cpu_ns);
    fidelity_share(cells[7], "%.1f %%", row->cpu_spread);
    fidelity_time(cells[8], row->replayed_ns);
}

static void fidelity_print_order(FILE *out, const struct fidelity_order *order, const char *what,
                                 const char *differ)
{
    char text[900];
    if (order->pairs == 0)
        snprintf(text, sizeof text, "%s: no two allocators differ by more than %s", what, differ);
    else
        snprintf(text, sizeof text, "%s: %zu of the %zu pairs that differ by more than %s%s%s",
                 what, order->same, order->pairs, differ, *order->wrong ? "; not " : "",
                 order->wrong);
    text_wrap(out, text, 0, 2, text_width(out));
}

static void fidelity_note(FILE *out, const char *subject, const char *text, const char *more)
{
    char note[1400];
    snprintf(note, sizeof note, "%s: %s%s%s", subject, text, *more ? ": " : "", more);
    fputs("  ! ", out);
    text_wrap(out, note, 4, 4, text_width(out));
}

static void fidelity_print_notes(FILE *out, const struct fidelity_row *row)
{
    if (strcmp(row->status, "ok") != 0)
        fidelity_note(out, row->allocator, row->status, row->detail);
    else if (*row->detail)
        fidelity_note(out, row->allocator, row->detail, "");
    if (*row->why)
        fidelity_note(out, row->allocator, row->why, "");
}

/* What no allocator changes, as it was with the first that ran. */
static void fidelity_print_beside(FILE *out, const struct fidelity *fidelity)
{
    char own[GRID_TEXT], stacks[GRID_TEXT], data[GRID_TEXT], files[GRID_TEXT], text[600];
    const struct fidelity_row *row = fidelity->rows, *end = row + fidelity->count;
    while (row < end && isnan(row->file_bytes))
        row++;
    if (row == end)
        return;
    fidelity_size(own, row->own_bytes);
    fidelity_size(stacks, row->stack_bytes);
    fidelity_size(data, row->data_bytes);
    fidelity_size(files, row->file_bytes);
    size_t used =
        (size_t)snprintf(text, sizeof text,
                         "beside the heap, on %.200s: %s mapped by the program itself, %s of "
                         "stacks, %s of zeroed data, %s of code and files",
                         row->allocator, own, stacks, data, files);
    if (row->processes != COUNT_UNKNOWN && row->processes > 0)
        snprintf(text + used, sizeof text - used,
                 "; it started %llu other processes, whose heaps are not in this",
                 (unsigned long long)row->processes);
    text_wrap(out, text, 0, 2, text_width(out));
}

void fidelity_print(FILE *out, const struct fidelity *fidelity)
{
    static const char *const titles[FIDELITY_COLUMNS] = {"allocator", "heap",   "spread",
                                                         "replayed",  "error",  "whole RSS",
                                                         "CPU",       "spread", "replayed"};
    size_t rows = fidelity->count + 1;
    char(*cells)[GRID_TEXT] = calloc(rows * FIDELITY_COLUMNS, sizeof *cells);
    if (!cells)
        err_no_memory("%zu rows", rows);
    for (size_t i = 0; i < FIDELITY_COLUMNS; i++)
        strcpy(cells[i], titles[i]);
    for (size_t i = 0; i < fidelity->count; i++)
        fidelity_write(cells + (i + 1) * FIDELITY_COLUMNS, &fidelity->rows[i]);
    grid_print(out, cells, rows, FIDELITY_COLUMNS);
    free(cells);
    fputc('\n', out);
    for (size_t i = 0; i < fidelity->count; i++)
        fidelity_print_notes(out, &fidelity->rows[i]);
    fidelity_print_beside(out, fidelity);
    fidelity_print_order(out, &fidelity->memory, "order by peak heap foretold", "5 %");
    fidelity_print_order(out, &fidelity->time, "order by processor time foretold",
                         "5 % and the noise");
}
