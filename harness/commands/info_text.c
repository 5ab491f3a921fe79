/* What bench trace info tells, as text. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "harness/base/units.h"
#include "harness/commands/info.h"
#include "results/text.h"

const char *const info_kinds[TRACE_KINDS] = {"malloc",  "calloc", "realloc",
                                             "aligned", "free",   "mark"};

static void info_text(const struct info *info, const char *name, const char *text)
{
    if (!*text)
        return;
    fprintf(info->out, "  %-20s ", name);
    text_plain(info->out, text);
    fputc('\n', info->out);
}

static void info_number(const struct info *info, const char *name, uint64_t value)
{
    char text[UNITS_TEXT];
    fprintf(info->out, "  %-20s %s\n", name, units_format_count(text, value));
}

static void info_size(const struct info *info, const char *name, uint64_t bytes)
{
    char text[UNITS_TEXT], count[UNITS_TEXT];
    fprintf(info->out, "  %-20s %s (%s bytes)\n", name, units_format_size(text, bytes),
            units_format_count(count, bytes));
}

/* A cut's times go on from those of what it was cut from: where it begins late. */
static uint64_t info_begins(const struct info *info)
{
    uint64_t first = info->statistics->first_ns;
    return first > info->summary->duration_ns / 10 ? first : 0;
}

static uint64_t info_duration(const struct info *info)
{
    return info->summary->duration_ns - info_begins(info);
}

static void info_print_rate(const struct info *info)
{
    char text[UNITS_TEXT], rate[UNITS_TEXT];
    double seconds = (double)info_duration(info) / 1e9;
    fprintf(info->out, "  %-20s %s", "operations", units_format_count(text, info->summary->events));
    if (seconds > 0)
        fprintf(info->out, " (%s a second)",
                units_format_count(rate, (uint64_t)((double)info->summary->events / seconds)));
    fputc('\n', info->out);
}

/* Blocks that change threads cost most allocators a lock or an atomic operation each. */
static void info_print_crossings(const struct info *info)
{
    const struct trace_summary *sum = info->summary;
    char text[UNITS_TEXT];
    uint64_t freed = 0;
    for (unsigned bin = 0; bin < STATISTICS_BINS; bin++)
        freed += info->statistics->lifetimes[bin];
    fprintf(info->out, "  %-20s %s", "cross-thread frees",
            units_format_count(text, sum->cross_thread_frees));
    if (sum->cross_thread_frees)
        fprintf(info->out, " (%.1f %% of blocks freed)",
                100.0 * (double)sum->cross_thread_frees / (double)freed);
    fputc('\n', info->out);
    if (info->statistics->cross_thread_resizes)
        info_number(info, "cross-thread resizes", info->statistics->cross_thread_resizes);
}

static void info_print_duration(const struct info *info)
{
    char text[UNITS_TEXT], first[UNITS_TEXT];
    uint64_t duration = info_duration(info), begins = info_begins(info);
    if (!(info->origin->columns & TRACE_HAS_TIMES))
        return;
    fprintf(info->out, "  %-20s %s", "duration", units_format_time(text, (double)duration));
    if (begins)
        fprintf(info->out, ", from %s after the start on",
                units_format_time(first, (double)begins));
    fputc('\n', info->out);
}

static void info_print_operations(const struct info *info)
{
    const struct trace_summary *sum = info->summary;
    char text[UNITS_TEXT];
    info_print_rate(info);
    for (int i = 0; i < TRACE_KINDS; i++)
        if (sum->by_kind[i])
            fprintf(info->out, "    %-18s %s\n", info_kinds[i],
                    units_format_count(text, sum->by_kind[i]));
    if (sum->source_events)
        info_number(info, "in the source", sum->source_events);
    if (sum->failed_calls)
        info_number(info, "failed calls", sum->failed_calls);
    info_number(info, "threads", sum->threads);
    info_print_crossings(info);
    if (sum->max_align)
        info_number(info, "largest alignment", sum->max_align);
    info_print_duration(info);
}

static void info_print_load(const struct info *info)
{
    const struct trace_summary *sum = info->summary;
    char text[UNITS_TEXT];
    info_size(info, "peak live", sum->peak_live_bytes);
    fprintf(info->out, "  %-20s %s\n", "  at operation", units_format_count(text, sum->peak_event));
    info_number(info, "peak live blocks", sum->peak_live_blocks);
    info_size(info, "live at the end", sum->end_live_bytes);
    info_number(info, "  blocks", sum->end_live_blocks);
    info_size(info, "requested in all", sum->total_bytes);
}

static void info_print_recording(const struct info *info)
{
    const struct trace_summary *sum = info->summary;
    char wall[UNITS_TEXT], cpu[UNITS_TEXT], own[UNITS_TEXT];
    if (!sum->program_wall_ns)
        return;
    fprintf(info->out, "  %-20s %s, processor %s, of that the recorder at least %s\n",
            "while recorded", units_format_time(wall, (double)sum->program_wall_ns),
            units_format_time(cpu, (double)sum->program_cpu_ns),
            units_format_time(own, (double)sum->recorder_ns));
    if (sum->drain_ns)
        fprintf(info->out, "  %-20s beside it, %s of processor time, events done %s after it\n",
                "made a trace", units_format_time(cpu, (double)sum->drain_ns),
                units_format_time(wall, (double)sum->late_ns));
}

/* A program that is killed tells nothing more. */
static void info_print_signal(const struct info *info)
{
    const struct trace_summary *sum = info->summary;
    if (sum->end_signal)
        fprintf(info->out,
                "  %-20s signal %" PRIu64 " (%s): what was touched of the large blocks that lived "
                "then is not known\n",
                "ended by", sum->end_signal, strsignal((int)(sum->end_signal % NSIG)));
}

/* What the program became, where that is not recorded. */
static void info_print_exec(const struct info *info)
{
    const char *label, *last = "";
    if (!info->summary->unrecorded_exec)
        return;
    for (uint32_t i = 0; (label = trace_reader_label(info->reader, i)); i++)
        last = label;
    info_text(info, "cut off", last);
    fputs("                       what the program allocated from there on is missing\n",
          info->out);
}

static void info_print_own(const struct info *info)
{
    if (info->summary->own_malloc)
        fprintf(info->out,
                "  %-20s the program has a malloc of its own: what that allocated is missing\n",
                "not recorded");
}

static void info_print_touched(const struct info *info)
{
    char looks[UNITS_TEXT], large[UNITS_TEXT], partly[UNITS_TEXT], bytes[UNITS_TEXT];
    if (!info->summary->touch_looks)
        return;
    fprintf(info->out,
            "  %-20s known of %s of %s large blocks: %s only in part, %s never touched\n",
            "touched", units_format_count(looks, info->summary->touch_looks),
            units_format_count(large, info->statistics->large),
            units_format_count(partly, info->statistics->partly_touched),
            units_format_size(bytes, info->statistics->untouched_bytes));
}

static void info_print_lacks(const struct info *info)
{
    const struct trace_summary *sum = info->summary;
    info_number(info, "lost events", sum->lost_events);
    info_number(info, "repairs", sum->repairs);
    if (sum->orphan_frees)
        info_number(info, "  orphan frees", sum->orphan_frees);
    if (sum->double_allocations)
        info_number(info, "  double allocations", sum->double_allocations);
    if (sum->inversions)
        info_number(info, "  inversions", sum->inversions);
    if (sum->backward_times)
        info_number(info, "times put right", sum->backward_times);
    if (sum->bad_records)
        info_number(info, "not understood", sum->bad_records);
    if (sum->cut_tails)
        info_text(info, "cut tail", "the source ends before its end");
    info_print_signal(info);
    info_print_exec(info);
    info_print_own(info);
    info_text(info, "losses", info->origin->losses);
}

void info_print(const struct info *info)
{
    const struct trace_origin *origin = info->origin;
    uint64_t sized = 0;
    for (unsigned bin = 0; bin < STATISTICS_BINS; bin++)
        sized += info->statistics->sizes[bin];
    info_text(info, "trace", info->path);
    info_text(info, "program", origin->program);
    info_text(info, "arguments", origin->arguments);
    info_text(info, "host", origin->host);
    info_text(info, "source", origin->source);
    info_text(info, "written by", origin->tool);
    info_print_operations(info);
    info_print_load(info);
    info_print_recording(info);
    info_print_touched(info);
    info_print_lacks(info);
    info_size(info, "file", info->file_bytes);
    fprintf(info->out, "  %-20s %.3f\n", "bytes an event", info_bytes_per_event(info));
    if (sized)
        info_print_tables(info, sized);
}
