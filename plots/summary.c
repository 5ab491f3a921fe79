/* Which allocator won, in words. */
#include "plots/summary.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "results/statistics.h"

__attribute__((format(printf, 2, 3))) static void summary_say(char text[SUMMARY_TEXT],
                                                              const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, SUMMARY_TEXT - used, format, args);
    va_end(args);
}

static bool summary_is_ok(const struct row *row)
{
    return row->real && strcmp(row->status, "ok") == 0;
}

/* Who may be named. The fastest is the row that the others were related to. */
static bool summary_is_timed(const struct row *row)
{
    return summary_is_ok(row) && !row_did_less(row) && !isnan(row->relative);
}

static bool summary_is_sized(const struct row *row)
{
    return summary_is_ok(row) && !row_did_less(row) && row->peak_rss_bytes != COUNT_UNKNOWN;
}

static const struct row *summary_fastest(const struct row *rows, size_t count)
{
    const struct row *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (summary_is_timed(&rows[i]) && rows[i].relative == 1 &&
            (!best || rows[i].ns_per_op < best->ns_per_op))
            best = &rows[i];
    return best;
}

static const struct row *summary_smallest(const struct row *rows, size_t count)
{
    const struct row *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (summary_is_sized(&rows[i]) && (!best || rows[i].peak_rss_bytes < best->peak_rss_bytes))
            best = &rows[i];
    return best;
}

static bool summary_shows_slower(const struct row *row)
{
    return row->relative_low > 1;
}

/* "Fastest: tlsf with 16.8 ns an operation", and who cannot be told from it. */
static void summary_time(const struct row *rows, size_t count, char text[SUMMARY_TEXT])
{
    const struct row *fastest = summary_fastest(rows, count), *next = NULL;
    if (!fastest)
        return;
    summary_say(text, "Fastest: %s with %.1f ns an operation", fastest->allocator,
                fastest->ns_per_op);
    size_t alike = 0;
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        if (row == fastest || !summary_is_timed(row))
            continue;
        if (!isnan(row->relative_low) && !summary_shows_slower(row))
            summary_say(text, "%s %s (%.2f [%.2f, %.2f])",
                        alike++ ? "," : "; no difference shown to", row->allocator, row->relative,
                        row->relative_low, row->relative_high);
        else if (!next || row->relative < next->relative)
            next = row;
    }
    if (next && isnan(next->relative_low))
        summary_say(text, "; next %s, %.2f times as long", next->allocator, next->relative);
    else if (next)
        summary_say(text, "; next %s, %.2f times as long [%.2f, %.2f]", next->allocator,
                    next->relative, next->relative_low, next->relative_high);
    summary_say(text, ".");
    if (fastest->repetitions < 2)
        summary_say(text, " Measured once, so small differences may be chance; repeat with -n 6.");
    else if (fastest->repetitions < STATISTICS_ENOUGH)
        summary_say(text, " With %llu repetitions the intervals are indicative only.",
                    (unsigned long long)fastest->repetitions);
}

static void summary_memory(const struct row *rows, size_t count, char text[SUMMARY_TEXT])
{
    const struct row *smallest = summary_smallest(rows, count), *next = NULL;
    char bytes[UNITS_TEXT];
    if (!smallest)
        return;
    for (size_t i = 0; i < count; i++)
        if (&rows[i] != smallest && summary_is_sized(&rows[i]) &&
            (!next || rows[i].peak_rss_bytes < next->peak_rss_bytes))
            next = &rows[i];
    summary_say(text, "Smallest: %s with %s resident at the peak", smallest->allocator,
                units_format_size(bytes, smallest->peak_rss_bytes));
    if (!isnan(smallest->rss_over_live))
        summary_say(text, ", %.2f times the most ever live", smallest->rss_over_live);
    if (next)
        summary_say(text, "; next %s with %s", next->allocator,
                    units_format_size(bytes, next->peak_rss_bytes));
    summary_say(text, ". Memory is measured once.");
}

static bool summary_is_beaten(const struct row *rows, size_t count, const struct row *row)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *other = &rows[i];
        if (!summary_is_timed(other) || !summary_is_sized(other))
            continue;
        if (other->ns_per_op <= row->ns_per_op && other->peak_rss_bytes <= row->peak_rss_bytes &&
            (other->ns_per_op < row->ns_per_op || other->peak_rss_bytes < row->peak_rss_bytes))
            return true;
    }
    return false;
}

/* Those among which a price is paid. */
static void summary_front(const struct row *rows, size_t count, char text[SUMMARY_TEXT])
{
    size_t named = 0;
    for (size_t i = 0; i < count; i++) {
        if (!summary_is_timed(&rows[i]) || !summary_is_sized(&rows[i]) ||
            summary_is_beaten(rows, count, &rows[i]))
            continue;
        summary_say(text, "%s%s",
                    named++ ? ", " : "Front: no other is at once faster and smaller than ",
                    rows[i].allocator);
    }
    if (named)
        summary_say(text, ".");
}

/* Who kept what was written; who did not has a status that says so. */
static void summary_verify(const struct row *rows, size_t count, char text[SUMMARY_TEXT])
{
    size_t sound = 0;
    for (size_t i = 0; i < count; i++)
        if (summary_is_ok(&rows[i]) && rows[i].faults_found == 0)
            summary_say(text, "%s%s", sound++ ? ", " : "Verified: the blocks of ",
                        rows[i].allocator);
    if (sound)
        summary_say(text, " were aligned, lay apart and kept what was written to them.");
}

static void summary_trouble(const struct row *rows, size_t count, char text[SUMMARY_TEXT])
{
    size_t named = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].status, "ok") != 0 &&
            (rows[i].real || !record_status_is_fine(rows[i].status)))
            summary_say(text, "%s%s (%s)",
                        named++ ? ", " : "Without a full result: ", rows[i].allocator,
                        rows[i].status);
    if (named)
        summary_say(text, ".");
}

/* A list without a point would be taken for one that was lost. */
static void summary_none(char lines[SUMMARY_LINES][SUMMARY_TEXT])
{
    for (size_t i = 0; i < SUMMARY_LINES; i++)
        if (*lines[i])
            return;
    summary_say(lines[0], "There is nothing to compare: no allocator did the whole work and was "
                          "measured.");
}

void summary_of_trace(const struct row *rows, size_t count, char lines[SUMMARY_LINES][SUMMARY_TEXT])
{
    for (size_t i = 0; i < SUMMARY_LINES; i++)
        lines[i][0] = '\0';
    summary_time(rows, count, lines[0]);
    summary_memory(rows, count, lines[1]);
    summary_front(rows, count, lines[2]);
    summary_verify(rows, count, lines[3]);
    summary_trouble(rows, count, lines[4]);
    summary_none(lines);
}

/* The sums of logarithms, until summary_finish. */
static void summary_add(struct summary_total *total, const struct row *row,
                        const struct row *fastest, const struct row *smallest)
{
    if (summary_is_ok(row) && !isnan(row->relative)) {
        total->relative += log(row->relative);
        total->timed++;
    }
    if (summary_is_ok(row) && row->rss_over_live > 0) {
        total->over_live += log(row->rss_over_live);
        total->sized++;
    }
    total->fastest += row == fastest;
    total->smallest += row == smallest;
    total->failed += strcmp(row->status, "ok") != 0;
}

static int summary_order(const void *a, const void *b)
{
    const struct summary_total *left = a, *right = b;
    if (left->timed != right->timed)
        return left->timed > right->timed ? -1 : 1;
    return (left->relative > right->relative) - (left->relative < right->relative);
}

static void summary_finish(struct summary_total *totals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        totals[i].relative =
            totals[i].timed ? exp(totals[i].relative / (double)totals[i].timed) : NAN;
        totals[i].over_live =
            totals[i].sized ? exp(totals[i].over_live / (double)totals[i].sized) : NAN;
    }
    qsort(totals, count, sizeof *totals, summary_order);
}

struct summary_total *summary_totals(const struct row *rows, size_t count, size_t *totals)
{
    struct summary_total *list = calloc(count + 1, sizeof *list);
    if (!list)
        err_no_memory("%zu rows", count);
    *totals = 0;
    for (size_t i = 0, same; i < count; i += same) {
        same = row_same_trace(rows + i, count - i);
        const struct row *fastest = summary_fastest(rows + i, same);
        const struct row *smallest = summary_smallest(rows + i, same);
        for (size_t j = i; j < i + same; j++) {
            size_t place = 0;
            while (place < *totals && strcmp(list[place].allocator, rows[j].allocator) != 0)
                place++;
            if (!rows[j].real)
                continue;
            if (place == *totals)
                list[(*totals)++].allocator = rows[j].allocator;
            summary_add(&list[place], &rows[j], fastest, smallest);
        }
    }
    summary_finish(list, *totals);
    return list;
}
