/* How the figures of a row are shown to people. */
#include "results/column.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/units.h"
#include "results/note.h"
#include "results/statistics.h"

static void column_nothing(char out[COLUMN_TEXT])
{
    strcpy(out, "-");
}

static void column_size(char out[COLUMN_TEXT], uint64_t bytes)
{
    if (bytes == COUNT_UNKNOWN)
        column_nothing(out);
    else
        units_format_size(out, bytes);
}

static void column_number(char out[COLUMN_TEXT], const char *format, double number)
    __attribute__((format(printf, 2, 0)));

static void column_number(char out[COLUMN_TEXT], const char *format, double number)
{
    if (isnan(number))
        column_nothing(out);
    else
        snprintf(out, COLUMN_TEXT, format, number);
}

static void column_time(char out[COLUMN_TEXT], double ns)
{
    if (isnan(ns))
        column_nothing(out);
    else
        units_format_time(out, ns);
}

static void column_ns_per_op(char out[COLUMN_TEXT], const struct row *row)
{
    column_number(out, row->ns_per_op < 10 ? "%.2f" : "%.1f", row->ns_per_op);
}

/* The marks of COLUMN_LEGEND. */
static void column_marks(char marks[8], const struct row *row)
{
    struct interval interval = {row->relative, row->relative_low, row->relative_high, false};
    bool known = !isnan(interval.low), itself = interval.low == 1 && interval.high == 1;
    snprintf(marks, 8, "%s%s%s",
             known && !itself && !interval_shows_difference(&interval) ? "=" : "",
             known && !itself && row->repetitions < STATISTICS_ENOUGH ? "~" : "",
             note_is_noisy(row) ? "!" : "");
}

/* Why a row is no competitor: it does nothing, or a layer over it (NAME+LAYER) takes time, or it
 * did less than was asked. NULL of those that are. */
static const char *column_aside(const struct row *row)
{
    if (!row->real)
        return strchr(row->allocator, '+') ? "layer" : "floor";
    if (!row->frees)
        return "no free";
    return row_refused(row) ? "less" : NULL;
}

static void column_relative(char out[COLUMN_TEXT], const struct row *row)
{
    char marks[8];
    column_marks(marks, row);
    if (isnan(row->relative))
        column_nothing(out);
    else if (column_aside(row))
        snprintf(out, COLUMN_TEXT, "%.2f %s", row->relative, column_aside(row));
    else if (isnan(row->relative_low) || row->relative_low == row->relative_high)
        snprintf(out, COLUMN_TEXT, "%.2f%s", row->relative, marks);
    else
        snprintf(out, COLUMN_TEXT, "%.2f [%.2f, %.2f]%s", row->relative, row->relative_low,
                 row->relative_high, marks);
}

static void column_p50(char out[COLUMN_TEXT], const struct row *row)
{
    column_time(out, row->p50_ns);
}

static void column_p99(char out[COLUMN_TEXT], const struct row *row)
{
    column_time(out, row->p99_ns);
}

static void column_p999(char out[COLUMN_TEXT], const struct row *row)
{
    column_time(out, row->p999_ns);
}

static void column_max(char out[COLUMN_TEXT], const struct row *row)
{
    column_time(out, row->max_ns);
}

static void column_own_max(char out[COLUMN_TEXT], const struct row *row)
{
    column_time(out, row->own_max_ns);
}

static void column_peak_rss(char out[COLUMN_TEXT], const struct row *row)
{
    column_size(out, row->peak_rss_bytes);
}

static void column_peak_vsz(char out[COLUMN_TEXT], const struct row *row)
{
    column_size(out, row->peak_vsz_bytes);
}

static void column_rss_over_live(char out[COLUMN_TEXT], const struct row *row)
{
    column_number(out, "%.2f", row->rss_over_live);
}

static void column_internal(char out[COLUMN_TEXT], const struct row *row)
{
    column_number(out, "%.1f %%", 100 * row->internal_fragmentation);
}

static void column_external(char out[COLUMN_TEXT], const struct row *row)
{
    column_number(out, "%.1f %%", 100 * row->external_fragmentation);
}

static void column_faults(char out[COLUMN_TEXT], const struct row *row)
{
    if (row->page_faults == COUNT_UNKNOWN)
        column_nothing(out);
    else
        units_format_count(out, row->page_faults);
}

#define COLUMN_PER_OP(name)                                                                        \
    static void column_##name(char out[COLUMN_TEXT], const struct row *row)                        \
    {                                                                                              \
        column_number(out, row->name##_per_op < 10 ? "%.3f" : "%.1f", row->name##_per_op);         \
    }
COLUMN_PER_OP(cycles)
COLUMN_PER_OP(instructions)
COLUMN_PER_OP(cache_misses)
COLUMN_PER_OP(tlb_misses)

/* Of the peak that is live when most is held; what COLUMN_NO_LOAD says. */
#define COLUMN_LOAD 0.05

/* jw3 + 1 is max H / L there, and jw4 + 1 is max H / max L; there is no ratio to nothing live. */
static bool column_is_unladen(const struct row *row)
{
    if (isnan(row->jw3))
        return !isnan(row->jw4);
    return row->jw4 + 1 < COLUMN_LOAD * (row->jw3 + 1);
}

#define COLUMN_LEGEND                                                                              \
    "relative: median time over that of the fastest, with its 95 % bootstrap interval; "           \
    "'=' no difference shown (the interval holds 1), '~' indicative only (fewer than 6 "           \
    "repetitions), '!' noisy, 'floor' what the harness itself costs, 'layer' mostly what its "     \
    "layer costs"

#define COLUMN_NO_FREE ", 'no free' of what never gives memory back"
#define COLUMN_LESS ", 'less' of less work than was asked"

const char *column_legend(const struct row *rows, size_t count)
{
    static const char *const legends[2][2] = {
        {COLUMN_LEGEND, COLUMN_LEGEND COLUMN_LESS},
        {COLUMN_LEGEND COLUMN_NO_FREE, COLUMN_LEGEND COLUMN_NO_FREE COLUMN_LESS}};
    bool marked = false, hoards = false, less = false;
    for (size_t i = 0; i < count; i++) {
        const char *aside = column_aside(&rows[i]);
        if (isnan(rows[i].relative))
            continue;
        marked = true;
        hoards |= aside && strcmp(aside, "no free") == 0;
        less |= aside && strcmp(aside, "less") == 0;
    }
    return marked ? legends[hoards][less] : NULL;
}

bool column_any_unladen(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (column_is_unladen(&rows[i]))
            return true;
    return false;
}

static void column_percent(char out[COLUMN_TEXT], double share)
{
    column_number(out, "%.1f %%", 100 * share);
}

static void column_jw1(char out[COLUMN_TEXT], const struct row *row)
{
    column_percent(out, row->jw1);
}

static void column_jw2(char out[COLUMN_TEXT], const struct row *row)
{
    column_percent(out, row->jw2);
}

static void column_jw3(char out[COLUMN_TEXT], const struct row *row)
{
    if (column_is_unladen(row))
        strcpy(out, "no load");
    else
        column_percent(out, row->jw3);
}

static void column_jw4(char out[COLUMN_TEXT], const struct row *row)
{
    column_percent(out, row->jw4);
}

static void column_area(char out[COLUMN_TEXT], const struct row *row)
{
    column_percent(out, row->jw_area);
}

static void column_holes(char out[COLUMN_TEXT], const struct row *row)
{
    column_number(out, "%.3f", row->holes_per_block);
}

static void column_hole_bytes(char out[COLUMN_TEXT], const struct row *row)
{
    column_size(out, row->hole_bytes);
}

static void column_largest_hole(char out[COLUMN_TEXT], const struct row *row)
{
    column_size(out, row->largest_hole_bytes);
}

static void column_headers(char out[COLUMN_TEXT], const struct row *row)
{
    column_size(out,
                row->walk_meta_bytes == COUNT_UNKNOWN ? row->seam_bytes : row->walk_meta_bytes);
}

static void column_page_use(char out[COLUMN_TEXT], const struct row *row)
{
    column_percent(out, row->page_occupancy);
}

static void column_dead_pages(char out[COLUMN_TEXT], const struct row *row)
{
    column_percent(out, row->dead_pages);
}

static void column_huge(char out[COLUMN_TEXT], const struct row *row)
{
    column_percent(out, row->huge_coverage);
}

static void column_of_robson(char out[COLUMN_TEXT], const struct row *row)
{
    bool known = row->peak_held_bytes != COUNT_UNKNOWN && row->robson_bytes != COUNT_UNKNOWN;
    column_percent(out, known ? (double)row->peak_held_bytes / (double)row->robson_bytes : NAN);
}

#define COLUMN_NET_TIME(name)                                                                      \
    static void column_##name##_net(char out[COLUMN_TEXT], const struct row *row)                  \
    {                                                                                              \
        column_time(out, row->name##_net_ns);                                                      \
    }
COLUMN_NET_TIME(p50)
COLUMN_NET_TIME(p99)
COLUMN_NET_TIME(p999)
COLUMN_NET_TIME(p9999)
COLUMN_NET_TIME(p99999)
COLUMN_NET_TIME(max)
COLUMN_NET_TIME(own_max)

static void column_clock(char out[COLUMN_TEXT], const struct row *row)
{
    column_time(out, row->clock_cost_ns);
}

#define COLUMN_MEDIAN(name)                                                                        \
    static void column_##name(char out[COLUMN_TEXT], const struct row *row)                        \
    {                                                                                              \
        column_number(out, "%.0f", row->name);                                                     \
    }
COLUMN_MEDIAN(context_switches)
COLUMN_MEDIAN(involuntary_switches)
COLUMN_MEDIAN(migrations)
COLUMN_MEDIAN(calls_taken)
COLUMN_MEDIAN(calls_slept)

static void column_delayed(char out[COLUMN_TEXT], const struct row *row)
{
    column_time(out, row->delayed_ns);
}

const struct column columns[] = {
    {"ns/op", COLUMN_SPEED, false,
     "median over the repetitions of the whole replay divided by its operations, no clock inside",
     column_ns_per_op},
    {"relative", COLUMN_SPEED, false,
     "time over that of the fastest real allocator that frees, with its 95 % bootstrap interval",
     column_relative},
    {"p50", COLUMN_LATENCY, false, "median latency of one call, the clock's own cost included",
     column_p50},
    {"p99", COLUMN_LATENCY, false, "one call in a hundred takes longer", column_p99},
    {"p99.9", COLUMN_LATENCY, false, "one call in a thousand takes longer", column_p999},
    {"max", COLUMN_LATENCY, false, "the slowest call of all repetitions", column_max},
    {"own max", COLUMN_LATENCY, true,
     "the slowest call that was as slow when it was made again: without interrupts and other "
     "programs",
     column_own_max},
    {"cycles/op", COLUMN_SPEED, true, "processor cycles an operation", column_cycles},
    {"instr/op", COLUMN_SPEED, true, "instructions an operation", column_instructions},
    {"LLC miss/op", COLUMN_SPEED, true, "misses of the last-level cache an operation",
     column_cache_misses},
    {"dTLB miss/op", COLUMN_SPEED, true, "loads an operation that missed the data TLB",
     column_tlb_misses},
    {"peak RSS", COLUMN_MEMORY, false,
     "most resident memory of the process, less what it had before the first operation",
     column_peak_rss},
    {"peak VSZ", COLUMN_MEMORY, false, "most address space, less what it had before",
     column_peak_vsz},
    {"RSS/live", COLUMN_MEMORY, false,
     "peak RSS over the most bytes the program had asked for at once: 1 is the floor",
     column_rss_over_live},
    {"internal", COLUMN_MEMORY, false,
     "internal fragmentation where most is live: the share of the blocks' usable bytes that "
     "was not asked for",
     column_internal},
    {"external", COLUMN_MEMORY, false,
     "external fragmentation where most is live: the share of the bytes held from the "
     "system that is in no live block",
     column_external},
    {"faults", COLUMN_MEMORY, false, "page faults in the replay", column_faults},
    {"JW1", COLUMN_FLOOR, true,
     "Johnstone and Wilson's measure #1 of what the heap holds above what is live, each block "
     "rounded up to 16 bytes: the mean over the trace of held / live, less 1",
     column_jw1},
    {"JW2", COLUMN_FLOOR, true, "#2: held / live where most is live, less 1", column_jw2},
    {"JW3", COLUMN_FLOOR, true, "#3: held / live where most is held for the first time, less 1",
     column_jw3},
    {"JW4", COLUMN_FLOOR, true, "#4: most held / most live, less 1: the distance to the floor",
     column_jw4},
    {"area", COLUMN_FLOOR, true, "sum of what is held / sum of what is live over the trace, less 1",
     column_area},
    {"holes/block", COLUMN_HOLES, true,
     "free extents between live blocks over live blocks, where most is live; by Knuth's rule p/2, "
     "at most 0.5",
     column_holes},
    {"in holes", COLUMN_HOLES, true, "bytes of these", column_hole_bytes},
    {"largest", COLUMN_HOLES, true, "the largest of these", column_largest_hole},
    {"headers", COLUMN_FLOOR, true,
     "bookkeeping where most is live: by the heap's own walk where it has one, else gaps between "
     "blocks that are too short for one",
     column_headers},
    {"page use", COLUMN_HOLES, true, "live share of the resident pages then", column_page_use},
    {"dead pages", COLUMN_HOLES, true,
     "resident pages without a live byte, of all resident ones, then", column_dead_pages},
    {"huge", COLUMN_HOLES, true, "share of the memory that is in huge pages then", column_huge},
    {"of Robson", COLUMN_FLOOR, true,
     "most held over Robson's bound: what the best policy may need at worst for as much live in "
     "blocks of 16 bytes to the trace's largest",
     column_of_robson},
    {"clock", COLUMN_NET, true,
     "what the clock itself costs, which is in every latency as it is told: the median of calls "
     "that do nothing, in the same process",
     column_clock},
    {"net p50", COLUMN_NET, true,
     "median latency of one call less the clock's cost; 0: no more than a call that does nothing",
     column_p50_net},
    {"net p99", COLUMN_NET, true, "one call in a hundred takes longer", column_p99_net},
    {"net p99.9", COLUMN_NET, true, "one call in a thousand takes longer", column_p999_net},
    {"net p99.99", COLUMN_NET, true, "one call in ten thousand takes longer", column_p9999_net},
    {"net p99.999", COLUMN_NET, true, "one call in a hundred thousand takes longer",
     column_p99999_net},
    {"net max", COLUMN_NET, true, "the slowest call, less the clock's cost", column_max_net},
    {"net own max", COLUMN_NET, true,
     "the slowest that was as slow when it was made again, less the clock's cost",
     column_own_max_net},
    {"switches", COLUMN_KERNEL, true,
     "context switches in the timed pass, of all its threads or processes; medians, as what "
     "follows",
     column_context_switches},
    {"forced", COLUMN_KERNEL, true, "those of them in which the core was taken away",
     column_involuntary_switches},
    {"migrations", COLUMN_KERNEL, true, "times a thread was moved to another core",
     column_migrations},
    {"delayed", COLUMN_KERNEL, true,
     "how long its threads, all together, were ready but waited for a core", column_delayed},
    {"calls taken", COLUMN_KERNEL, true,
     "calls of the latency pass in which other work got the core", column_calls_taken},
    {"calls slept", COLUMN_KERNEL, true,
     "calls of it in which the thread gave its core away to wait, as a rule for a lock",
     column_calls_slept},
};
const size_t column_count = sizeof columns / sizeof *columns;

_Static_assert(sizeof columns / sizeof *columns <= COLUMNS_MOST, "every column may be shown");

static bool column_tells(const struct column *column, const struct row *rows, size_t count)
{
    char text[COLUMN_TEXT];
    for (size_t i = 0; i < count; i++) {
        column->write(text, &rows[i]);
        if (strcmp(text, "-") != 0)
            return true;
    }
    return false;
}

/* The groups of which the rows have anything. */
static unsigned column_groups(const struct row *rows, size_t count)
{
    unsigned groups = 0;
    for (size_t i = 0; i < column_count; i++)
        if (!columns[i].optional && column_tells(&columns[i], rows, count))
            groups |= columns[i].group;
    return groups;
}

struct columns_shown columns_shown(const struct row *rows, size_t count, unsigned groups,
                                   bool promised)
{
    struct columns_shown shown = {.count = 0};
    unsigned whole = promised ? column_groups(rows, count) : 0;
    for (size_t i = 0; i < column_count; i++)
        if (columns[i].group & groups && ((columns[i].group & whole && !columns[i].optional) ||
                                          column_tells(&columns[i], rows, count)))
            shown.at[shown.count++] = &columns[i];
    return shown;
}

bool column_any(const struct row *row)
{
    char text[COLUMN_TEXT];
    for (size_t i = 0; i < column_count; i++) {
        columns[i].write(text, row);
        if (strcmp(text, "-") != 0)
            return true;
    }
    return false;
}
