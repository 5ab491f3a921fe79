/* Two runs, or two allocators, against each other. */
#include "results/compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "results/asked.h"
#include "results/counterpart.h"
#include "results/sample.h"
#include "results/text.h"

/* Latency is shown, but not gated: its counters are coarser than small differences. */
static const struct {
    const char *pass, *figure, *title;
    bool gated, bytes;
} compare_figures[] = {
    {"throughput", "ns_per_op", "time", true, false},
    {"latency", "p99_ns", "p99", false, false},
    {"latency", "p999_ns", "p99.9", false, false},
    {"memory", "peak_rss_bytes", "peak RSS", true, true},
    {"memory", "peak_held_bytes", "peak held", true, true},
};
enum { COMPARE_FIGURES = sizeof compare_figures / sizeof *compare_figures };

/* What is compared at the moment. */
struct compare_pair {
    struct compare_side base, new;
    const char *trace, *new_trace; /* the names may differ, the trace is the same */
    const char *base_allocator, *new_allocator;
    bool paired; /* both of one run: its repetitions are blocks */
};

static enum compare_verdict compare_judge(const struct interval *ratio)
{
    if (isnan(ratio->low))
        return COMPARE_UNKNOWN;
    if (!interval_shows_difference(ratio))
        return COMPARE_SAME;
    return ratio->low > 1 ? COMPARE_MORE : COMPARE_LESS;
}

static void compare_add(struct comparisons *out, const struct comparison *comparison)
{
    out->list = reallocarray(out->list, out->count + 1, sizeof *out->list);
    if (!out->list)
        err_no_memory("%zu comparisons", out->count + 1);
    out->list[out->count++] = *comparison;
}

static void compare_figure(struct comparisons *out, const struct compare_pair *pair, size_t figure)
{
    const char *pass = compare_figures[figure].pass, *name = compare_figures[figure].figure;
    struct sample base, new;
    sample_collect(&base, pair->base.store, pair->base_allocator, pair->trace, pass, name);
    sample_collect(&new, pair->new.store, pair->new_allocator, pair->new_trace, pass, name);
    if (base.count && new.count) {
        struct comparison comparison = {
            .trace = pair->trace,
            .new_trace = pair->new_trace,
            .changed = counterpart_differs(pair->base.store, pair->trace, pair->new.store,
                                           pair->new_trace),
            .base_allocator = pair->base_allocator,
            .new_allocator = pair->new_allocator,
            .figure = name,
            .gated = compare_figures[figure].gated,
            .base = statistics_median(base.values, base.count),
            .new = statistics_median(new.values, new.count),
            .ratio = sample_ratio(&new, &base, pair->paired, asked_seed(pair->new.store)),
        };
        comparison.verdict = compare_judge(&comparison.ratio);
        compare_add(out, &comparison);
    }
    sample_release(&base);
    sample_release(&new);
}

static bool compare_is_faulty(const struct cell_result *cell)
{
    return strcmp(cell->status, "ok") != 0 ||
           (cell->failed_allocations != COUNT_UNKNOWN && cell->failed_allocations > 0);
}

/* The first cell that failed, or served less than was asked. */
static const struct cell_result *compare_fault(const struct store *store, const char *allocator,
                                               const char *trace)
{
    for (size_t i = 0; i < store_cell_count(store); i++) {
        const struct cell_result *cell = store_cell(store, i);
        if (compare_is_faulty(cell) && strcmp(cell->allocator, allocator) == 0 &&
            strcmp(cell->trace, trace) == 0)
            return cell;
    }
    return NULL;
}

static void compare_lost(struct comparisons *out, const struct compare_pair *pair)
{
    const struct cell_result *fault =
        compare_fault(pair->new.store, pair->new_allocator, pair->new_trace);
    if (!fault || compare_fault(pair->base.store, pair->base_allocator, pair->trace))
        return;
    char what[sizeof fault->status + sizeof fault->detail + 8];
    if (strcmp(fault->status, "ok") == 0)
        snprintf(what, sizeof what, "refused %llu allocations",
                 (unsigned long long)fault->failed_allocations);
    else
        snprintf(what, sizeof what, "%s%s%s", fault->status, *fault->detail ? ": " : "",
                 fault->detail);
    out->lost = reallocarray(out->lost, out->lost_count + 1, sizeof *out->lost);
    if (!out->lost ||
        asprintf(&out->lost[out->lost_count++], "%s on %s: %s (%s pass), but not in the base",
                 pair->new_allocator, pair->new_trace, what, fault->pass) < 0)
        err_no_memory("a sentence");
}

static void compare_allocators(struct comparisons *out, const struct compare_pair *pair)
{
    for (size_t i = 0; i < COMPARE_FIGURES; i++)
        compare_figure(out, pair, i);
    compare_lost(out, pair);
}

static bool compare_knows(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static void compare_trace(struct comparisons *out, struct compare_pair *pair)
{
    const char **base = asked_allocators(pair->base.store);
    const char **new = asked_allocators(pair->new.store);
    if (pair->base.allocator) {
        pair->base_allocator = pair->base.allocator;
        pair->new_allocator = pair->new.allocator;
        compare_allocators(out, pair);
    } else
        for (const char **name = base; *name; name++)
            if (compare_knows((const char *const *)new, *name)) {
                pair->base_allocator = pair->new_allocator = *name;
                compare_allocators(out, pair);
            }
    free(base);
    free(new);
}

static int compare_check(struct compare_side side, struct err *err)
{
    const char **names = asked_allocators(side.store);
    bool known = !side.allocator || compare_knows((const char *const *)names, side.allocator);
    free(names);
    return known
               ? 0
               : err_set(err, EINVAL, "%s has no allocator '%s'; 'bench report' shows those it has",
                         store_folder(side.store), side.allocator);
}

int compare_sides(struct comparisons *out, struct compare_side base, struct compare_side new,
                  struct err *err)
{
    *out = (struct comparisons){0};
    int failed = compare_check(base, err);
    if (!failed)
        failed = compare_check(new, err);
    if (failed)
        return failed;
    struct compare_pair pair = {.base = base, .new = new, .paired = base.store == new.store};
    const char **traces = asked_traces(base.store);
    for (const char **trace = traces; *trace; trace++) {
        pair.trace = *trace;
        pair.new_trace = counterpart_find(base.store, *trace, new.store);
        if (pair.new_trace)
            compare_trace(out, &pair);
    }
    free(traces);
    if (out->count || out->lost_count)
        return 0;
    return err_set(err, EINVAL,
                   "%s and %s measured nothing in common: no allocator on the same trace",
                   store_folder(base.store), store_folder(new.store));
}

void compare_release(struct comparisons *comparisons)
{
    for (size_t i = 0; i < comparisons->lost_count; i++)
        free(comparisons->lost[i]);
    free(comparisons->lost);
    free(comparisons->list);
}

static bool compare_fails(const struct comparison *comparison, double threshold)
{
    return threshold >= 0 && comparison->gated && comparison->verdict == COMPARE_MORE &&
           comparison->ratio.ratio > 1 + threshold;
}

bool compare_can_fail(const struct comparisons *comparisons)
{
    for (size_t i = 0; i < comparisons->count; i++)
        if (comparisons->list[i].gated && comparisons->list[i].verdict != COMPARE_UNKNOWN)
            return true;
    return false;
}

size_t compare_failures(const struct comparisons *comparisons, double threshold)
{
    size_t failures = 0;
    for (size_t i = 0; i < comparisons->count; i++)
        failures += compare_fails(&comparisons->list[i], threshold);
    return failures;
}

static const char *compare_words(const struct comparison *comparison)
{
    switch (comparison->verdict) {
    case COMPARE_UNKNOWN:
        return "measured once: nothing shown";
    case COMPARE_SAME:
        return "no difference shown";
    case COMPARE_LESS:
        return "less";
    case COMPARE_MORE:
        return "more";
    }
    BUG("no such verdict");
}

static size_t compare_place(const char *figure)
{
    size_t place = 0;
    while (strcmp(compare_figures[place].figure, figure) != 0)
        place++;
    return place;
}

static void compare_value(char out[UNITS_TEXT], size_t figure, double value)
{
    if (compare_figures[figure].bytes)
        units_format_size(out, (uint64_t)value);
    else
        units_format_time(out, value);
}

static void compare_line(FILE *out, const struct comparison *comparison, double threshold)
{
    char base[UNITS_TEXT], new[UNITS_TEXT], interval[64] = "";
    size_t figure = compare_place(comparison->figure);
    compare_value(base, figure, comparison->base);
    compare_value(new, figure, comparison->new);
    if (!isnan(comparison->ratio.low))
        snprintf(interval, sizeof interval, "[%.3f, %.3f]", comparison->ratio.low,
                 comparison->ratio.high);
    fprintf(out, "    %-10s %10s  %10s  %7.3f %-16s  %s%s%s\n", compare_figures[figure].title, base,
            new, comparison->ratio.ratio, interval, compare_words(comparison),
            comparison->verdict != COMPARE_UNKNOWN && comparison->ratio.indicative ? " (indicative)"
                                                                                   : "",
            compare_fails(comparison, threshold) ? "  FAILS THE GATE" : "");
}

static void compare_heading(FILE *out, const struct comparison *comparison)
{
    text_plain(out, comparison->trace);
    fputs(", ", out);
    text_plain(out, comparison->base_allocator);
    if (strcmp(comparison->base_allocator, comparison->new_allocator) != 0) {
        fputs(" (base) and ", out);
        text_plain(out, comparison->new_allocator);
        fputs(" (new)", out);
    }
    fputc('\n', out);
    if (strcmp(comparison->trace, comparison->new_trace) != 0) {
        fputs("    (in the new run the same trace, by its checksum, is called ", out);
        text_plain(out, comparison->new_trace);
        fputs(")\n", out);
    }
    if (comparison->changed)
        fputs("    ! not the same trace in both runs (its checksum differs): what differs may be "
              "the trace's\n",
              out);
    fprintf(out, "    %-10s %10s  %10s  %7s\n", "", "base", "new", "ratio");
}

void compare_print(FILE *out, const struct comparisons *comparisons, double threshold)
{
    const struct comparison *last = NULL;
    for (size_t i = 0; i < comparisons->count; i++) {
        const struct comparison *comparison = &comparisons->list[i];
        if (!last || last->trace != comparison->trace ||
            last->base_allocator != comparison->base_allocator)
            compare_heading(out, comparison);
        compare_line(out, comparison, threshold);
        last = comparison;
    }
    for (size_t i = 0; i < comparisons->lost_count; i++) {
        fputs("! ", out);
        text_plain(out, comparisons->lost[i]);
        fputc('\n', out);
    }
    fputs(
        "ratio: new over base, the medians of the repetitions, with its 95 % bootstrap interval\n",
        out);
}
