/* From cells to rows: one an allocator and trace. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clause.h"
#include "harness/base/units.h"
#include "results/asked.h"
#include "results/sample.h"
#include "results/table.h"

static const char *const table_passes[] = {"throughput", "latency", "memory", "verify"};
enum { TABLE_PASSES = sizeof table_passes / sizeof *table_passes };

static const struct cell_result *table_find(const struct store *store, const struct row *row,
                                            const char *pass, uint64_t repetition)
{
    const struct cell_result *found = NULL;
    for (size_t i = 0; i < store_cell_count(store); i++) {
        const struct cell_result *cell = store_cell(store, i);
        if (cell->repetition == repetition && strcmp(cell->pass, pass) == 0 &&
            strcmp(cell->allocator, row->allocator) == 0 && strcmp(cell->trace, row->trace) == 0)
            found = cell;
    }
    return found;
}

/* What became of the cells of a row. */
struct table_tally {
    size_t sound, failed, missing;
    const struct cell_result *first_failed;
};

static void table_count(struct table_tally *tally, struct row *row, const struct cell_result *cell)
{
    bool ok = cell && strcmp(cell->status, "ok") == 0;
    tally->sound += ok;
    tally->missing += !cell;
    tally->failed += cell && !ok;
    if (cell && !ok && !tally->first_failed)
        tally->first_failed = cell;
    if (ok)
        clause_merge(row->detail, sizeof row->detail, cell->detail);
}

/* The sentence of a failure takes the place of every warning. */
static void table_failed(struct row *row, const struct table_tally *tally)
{
    const struct cell_result *cell = tally->first_failed;
    snprintf(row->status, sizeof row->status, "%s", cell->status);
    snprintf(row->detail, sizeof row->detail, "%.400s", cell->detail);
    if (tally->sound)
        clause_add(row->detail, sizeof row->detail, "in %zu of %zu cells, first in the %s pass",
                   tally->failed, tally->failed + tally->sound, cell->pass);
}

static void table_status(struct row *row, const struct store *store)
{
    struct table_tally tally = {0};
    for (size_t pass = 0; pass < TABLE_PASSES; pass++)
        for (uint64_t i = 0; i < asked_repetitions(store, table_passes[pass]); i++)
            table_count(&tally, row, table_find(store, row, table_passes[pass], i));
    strcpy(row->status, "ok");
    if (tally.failed)
        table_failed(row, &tally);
    else if (tally.missing) {
        strcpy(row->status, tally.sound ? "incomplete" : "not measured");
        clause_add(row->detail, sizeof row->detail,
                   "%zu of %zu cells are missing; bench run --resume %.200s measures them",
                   tally.missing, tally.missing + tally.sound, store_folder(store));
    }
}

/* The median over the repetitions. */
static double table_median(const struct store *store, const struct row *row, const char *pass,
                           const char *figure)
{
    struct sample sample;
    sample_collect(&sample, store, row->allocator, row->trace, pass, figure);
    double median = statistics_median(sample.values, sample.count);
    sample_release(&sample);
    return median;
}

/* Where calls were sampled, the latency pass tells the time too. */
static const char *table_timed_pass(const struct store *store)
{
    return asked_repetitions(store, "throughput") > 0 ? "throughput" : "latency";
}

static void table_throughput(struct row *row, const struct store *store)
{
    struct sample sample;
    sample_collect(&sample, store, row->allocator, row->trace, table_timed_pass(store),
                   "ns_per_op");
    row->ns_per_op = statistics_median(sample.values, sample.count);
    row->spread = statistics_spread(sample.values, sample.count);
    row->repetitions = sample.count;
    sample_release(&sample);
    row->cycles_per_op = table_median(store, row, "throughput", "cycles_per_op");
    row->instructions_per_op = table_median(store, row, "throughput", "instructions_per_op");
    row->cache_misses_per_op = table_median(store, row, "throughput", "cache_misses_per_op");
    row->tlb_misses_per_op = table_median(store, row, "throughput", "tlb_misses_per_op");
}

/* What the kernel did meanwhile. */
static void table_kernel(struct row *row, const struct store *store)
{
    const char *pass = table_timed_pass(store);
    row->context_switches = table_median(store, row, pass, "context_switches");
    row->involuntary_switches = table_median(store, row, pass, "involuntary_switches");
    row->migrations = table_median(store, row, pass, "migrations");
    row->delayed_ns = table_median(store, row, pass, "delayed_ns");
    row->calls_taken = table_median(store, row, "latency", "calls_taken");
    row->calls_slept = table_median(store, row, "latency", "calls_slept");
}

static void table_latency_net(struct row *row)
{
    double cost = row->clock_cost_ns;
    row->p50_net_ns = latency_net_ns(row->p50_ns, cost);
    row->p99_net_ns = latency_net_ns(row->p99_ns, cost);
    row->p999_net_ns = latency_net_ns(row->p999_ns, cost);
    row->p9999_net_ns = latency_net_ns(row->p9999_ns, cost);
    row->p99999_net_ns = latency_net_ns(row->p99999_ns, cost);
    row->max_net_ns = latency_net_ns(row->max_ns, cost);
    row->own_max_net_ns = latency_net_ns(row->own_max_ns, cost);
}

static void table_latency(struct row *row, const struct store *store)
{
    struct sample slowest;
    row->p50_ns = table_median(store, row, "latency", "p50_ns");
    row->p99_ns = table_median(store, row, "latency", "p99_ns");
    row->p999_ns = table_median(store, row, "latency", "p999_ns");
    row->p9999_ns = table_median(store, row, "latency", "p9999_ns");
    row->p99999_ns = table_median(store, row, "latency", "p99999_ns");
    row->own_max_ns = table_median(store, row, "latency", "own_max_ns");
    row->clock_cost_ns = table_median(store, row, "latency", "clock_cost_ns");
    sample_collect(&slowest, store, row->allocator, row->trace, "latency", "max_ns");
    row->max_ns = statistics_percentile(slowest.values, slowest.count, 1);
    if (row->repetitions == 0)
        row->repetitions = slowest.count;
    sample_release(&slowest);
    table_latency_net(row);
}

/* Copies the figures that a row and a cell name alike. */
static void table_memory(struct row *row, const struct cell_result *cell)
{
    static const char *const names[] = {
        "peak_rss_bytes",
        "peak_vsz_bytes",
        "rss_over_live",
        "peak_held_bytes",
        "peak_resident_bytes",
        "peak_live_bytes",
        "internal_fragmentation",
        "external_fragmentation",
        "jw1",
        "jw2",
        "jw3",
        "jw4",
        "jw_area",
        "holes",
        "hole_bytes",
        "largest_hole_bytes",
        "holes_per_block",
        "seam_bytes",
        "empty_bytes",
        "walk_meta_bytes",
        "page_occupancy",
        "dead_pages",
        "huge_coverage",
        "robson_bytes",
        "page_faults",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct field *from = field_find(cell_fields, cell_field_count, names[i]);
        const struct field *to = field_find(row_fields, row_field_count, names[i]);
        if (!from || !to || from->type != to->type)
            BUG("the figure '%s' is not one of both cells and rows", names[i]);
        /* Counts and reals are both eight bytes. */
        memcpy((char *)row + to->offset, (const char *)cell + from->offset, sizeof(uint64_t));
    }
}

static bool table_is_ok(const struct cell_result *cell)
{
    return cell && strcmp(cell->status, "ok") == 0;
}

static void table_counts(struct row *row, const struct store *store)
{
    for (size_t pass = 0; pass < TABLE_PASSES; pass++) {
        const struct cell_result *cell = table_find(store, row, table_passes[pass], 0);
        if (!cell)
            continue;
        /* Of a crash they are those that were done until then, not the trace's. */
        if (row->operations == COUNT_UNKNOWN && table_is_ok(cell))
            row->operations = cell->operations;
        if (row->peak_live_bytes == COUNT_UNKNOWN)
            row->peak_live_bytes = cell->peak_live_bytes;
        if (table_is_ok(cell) && cell->failed_allocations != COUNT_UNKNOWN &&
            (row->failed_allocations == COUNT_UNKNOWN ||
             row->failed_allocations < cell->failed_allocations))
            row->failed_allocations = cell->failed_allocations;
    }
}

/* Of the first cell there is: timed passes come first. */
static void table_threads(struct row *row, const struct store *store)
{
    for (size_t pass = 0; pass < TABLE_PASSES && row->threads_recorded == COUNT_UNKNOWN; pass++) {
        const struct cell_result *cell = table_find(store, row, table_passes[pass], 0);
        if (!cell)
            continue;
        row->threads_recorded = cell->threads_recorded;
        row->threads_replayed = cell->threads_replayed;
        row->processes_replayed = cell->processes_replayed;
    }
    row->wait_share = table_median(store, row, table_timed_pass(store), "wait_share");
    row->idle_share = table_median(store, row, table_timed_pass(store), "idle_share");
}

/* The cells were measured soundly, but of less work than the trace asks for. */
static void table_refused(struct row *row, const struct store *store)
{
    char failed[UNITS_TEXT], limit[UNITS_TEXT];
    if (!row_refused(row))
        return;
    clause_add(row->detail, sizeof row->detail,
               "%s allocation%s failed, so that the figures are those of less work than was asked",
               units_format_count(failed, row->failed_allocations),
               row->failed_allocations == 1 ? "" : "s");
    if (asked_memory_limit(store))
        clause_add(row->detail, sizeof row->detail,
                   "it may map %s: a larger --memory-limit gives it room",
                   units_format_size(limit, asked_memory_limit(store)));
    if (strcmp(row->status, "ok") == 0 && !asked_refuses(store, row->allocator))
        strcpy(row->status, "refused allocations");
}

static void table_fill(struct row *row, const struct store *store, const char *allocator,
                       const char *trace)
{
    row_clear(row);
    const char *slash = strrchr(store_folder(store), '/');
    snprintf(row->run, sizeof row->run, "%s", slash ? slash + 1 : store_folder(store));
    snprintf(row->allocator, sizeof row->allocator, "%s", allocator);
    snprintf(row->trace, sizeof row->trace, "%s", trace);
    row->real = asked_is_real(store, allocator);
    row->frees = asked_frees(store, allocator);
    table_status(row, store);
    table_throughput(row, store);
    table_latency(row, store);
    table_kernel(row, store);
    const struct cell_result *memory = table_find(store, row, "memory", 0);
    if (table_is_ok(memory))
        table_memory(row, memory);
    const struct cell_result *verify = table_find(store, row, "verify", 0);
    if (verify)
        row->faults_found = verify->faults_found;
    table_counts(row, store);
    table_threads(row, store);
    table_refused(row, store);
}

static bool table_may_win(const struct row *row)
{
    bool sound = strcmp(row->status, "ok") == 0 || strcmp(row->status, "incomplete") == 0;
    return row->real && sound && !isnan(row->ns_per_op) && !row_did_less(row);
}

/* The fastest real allocator of one trace that did the whole work, NULL if there is none. */
static const struct row *table_fastest(const struct row *rows, size_t count)
{
    const struct row *fastest = NULL;
    for (size_t i = 0; i < count; i++)
        if (table_may_win(&rows[i]) && (!fastest || rows[i].ns_per_op < fastest->ns_per_op))
            fastest = &rows[i];
    return fastest;
}

static void table_relate(struct row *rows, size_t count, const struct store *store)
{
    const struct row *fastest = table_fastest(rows, count);
    if (!fastest)
        return;
    const char *pass = table_timed_pass(store);
    struct sample base, sample;
    sample_collect(&base, store, fastest->allocator, fastest->trace, pass, "ns_per_op");
    for (size_t i = 0; i < count; i++) {
        sample_collect(&sample, store, rows[i].allocator, rows[i].trace, pass, "ns_per_op");
        struct interval interval = sample_ratio(&sample, &base, true, asked_seed(store));
        rows[i].relative = interval.ratio;
        rows[i].relative_low = interval.low;
        rows[i].relative_high = interval.high;
        sample_release(&sample);
    }
    sample_release(&base);
}

static size_t table_names(const char **names)
{
    size_t count = 0;
    while (names[count])
        count++;
    return count;
}

struct row *table_rows(const struct store *store, size_t *count)
{
    const char **allocators = asked_allocators(store), **traces = asked_traces(store);
    size_t width = table_names(allocators), height = table_names(traces);
    struct row *rows = calloc(width * height + 1, sizeof *rows);
    if (!rows)
        err_no_memory("%zu rows", width * height);
    for (size_t trace = 0; trace < height; trace++) {
        struct row *first = rows + trace * width;
        for (size_t i = 0; i < width; i++)
            table_fill(&first[i], store, allocators[i], traces[trace]);
        table_relate(first, width, store);
    }
    free(allocators);
    free(traces);
    *count = width * height;
    return rows;
}
