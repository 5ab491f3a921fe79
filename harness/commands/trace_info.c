/* bench trace info: what a trace holds. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "harness/commands/commands.h"
#include "harness/commands/info.h"
#include "harness/commands/trace.h"

enum { INFO_CLASSES = 16, INFO_TOP_SIZES = 10 };

const char *const info_kinds[TRACE_KINDS] = {"malloc",  "calloc", "realloc",
                                             "aligned", "free",   "mark"};

/* Text from a file, made harmless for a terminal. */
static void info_text(const char *name, const char *text)
{
    if (!*text)
        return;
    printf("  %-20s ", name);
    for (; *text; text++)
        putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
    putchar('\n');
}

static void info_number(const char *name, uint64_t value)
{
    char text[UNITS_TEXT];
    printf("  %-20s %s\n", name, units_format_count(text, value));
}

static void info_size(const char *name, uint64_t bytes)
{
    char text[UNITS_TEXT], count[UNITS_TEXT];
    printf("  %-20s %s (%s bytes)\n", name, units_format_size(text, bytes),
           units_format_count(count, bytes));
}

static void info_print_operations(const struct info *info)
{
    const struct trace_summary *sum = info->summary;
    char text[UNITS_TEXT];
    info_number("operations", sum->events);
    for (int i = 0; i < TRACE_KINDS; i++)
        if (sum->by_kind[i])
            printf("    %-18s %s\n", info_kinds[i], units_format_count(text, sum->by_kind[i]));
    if (sum->source_events)
        info_number("in the source", sum->source_events);
    if (sum->failed_calls)
        info_number("failed calls", sum->failed_calls);
    info_number("threads", sum->threads);
    info_number("cross-thread frees", sum->cross_thread_frees);
    if (sum->max_align)
        info_number("largest alignment", sum->max_align);
    if (info->origin->columns & TRACE_HAS_TIMES)
        printf("  %-20s %s\n", "duration", units_format_time(text, (double)sum->duration_ns));
}

static void info_print_load(const struct trace_summary *sum)
{
    char text[UNITS_TEXT];
    info_size("peak live", sum->peak_live_bytes);
    printf("  %-20s %s\n", "  at operation", units_format_count(text, sum->peak_event));
    info_number("peak live blocks", sum->peak_live_blocks);
    info_size("live at the end", sum->end_live_bytes);
    info_number("  blocks", sum->end_live_blocks);
    info_size("requested in all", sum->total_bytes);
}

static void info_print_recording(const struct trace_summary *sum)
{
    char wall[UNITS_TEXT], cpu[UNITS_TEXT], own[UNITS_TEXT];
    if (!sum->program_wall_ns)
        return;
    printf("  %-20s %s, processor %s, of that the recorder at least %s\n", "while recorded",
           units_format_time(wall, (double)sum->program_wall_ns),
           units_format_time(cpu, (double)sum->program_cpu_ns),
           units_format_time(own, (double)sum->recorder_ns));
    if (sum->drain_ns)
        printf("  %-20s beside it, %s of processor time, events done %s after it\n", "made a trace",
               units_format_time(cpu, (double)sum->drain_ns),
               units_format_time(wall, (double)sum->late_ns));
}

/* A program that is killed tells nothing more. */
static void info_print_signal(const struct trace_summary *sum)
{
    if (sum->end_signal)
        printf("  %-20s signal %" PRIu64 " (%s): what was touched of the large blocks that lived "
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
    info_text("cut off", last);
    puts("                       what the program allocated from there on is missing");
}

static void info_print_touched(const struct info *info)
{
    char looks[UNITS_TEXT], large[UNITS_TEXT], partly[UNITS_TEXT], bytes[UNITS_TEXT];
    if (!info->summary->touch_looks)
        return;
    printf("  %-20s known of %s of %s large blocks: %s only in part, %s never touched\n", "touched",
           units_format_count(looks, info->summary->touch_looks),
           units_format_count(large, info->statistics->large),
           units_format_count(partly, info->statistics->partly_touched),
           units_format_size(bytes, info->statistics->untouched_bytes));
}

static void info_print_lacks(const struct info *info)
{
    const struct trace_summary *sum = info->summary;
    info_number("lost events", sum->lost_events);
    info_number("repairs", sum->repairs);
    if (sum->orphan_frees)
        info_number("  orphan frees", sum->orphan_frees);
    if (sum->double_allocations)
        info_number("  double allocations", sum->double_allocations);
    if (sum->inversions)
        info_number("  inversions", sum->inversions);
    if (sum->backward_times)
        info_number("times put right", sum->backward_times);
    if (sum->bad_records)
        info_number("not understood", sum->bad_records);
    if (sum->cut_tails)
        info_text("cut tail", "the source ends before its end");
    info_print_signal(sum);
    info_print_exec(info);
    info_text("losses", info->origin->losses);
}

static void info_print_bins(const char *title, const uint64_t *bins)
{
    uint64_t total = 0, most = 0;
    for (unsigned bin = 0; bin < STATISTICS_BINS; bin++) {
        total += bins[bin];
        most = bins[bin] > most ? bins[bin] : most;
    }
    printf("\n  %s\n", title);
    for (unsigned bin = 0; bin < STATISTICS_BINS; bin++) {
        char low[UNITS_TEXT], high[UNITS_TEXT], count[UNITS_TEXT];
        static const char bar[] = "########################################";
        if (!bins[bin])
            continue;
        int length = (int)((double)bins[bin] * 40 / (double)most);
        printf("    %13s - %-13s %13s %5.1f%% %.*s\n",
               units_format_count(low, statistics_bin_low(bin)),
               units_format_count(high, statistics_bin_high(bin)),
               units_format_count(count, bins[bin]), 100.0 * (double)bins[bin] / (double)total,
               length, bar);
    }
}

static void info_print_top(const uint64_t *exact, uint64_t total)
{
    uint64_t above = UINT64_MAX;
    uint32_t above_size = 0;
    printf("\n  most frequent sizes\n");
    for (int rank = 0; rank < INFO_TOP_SIZES; rank++) {
        uint64_t best = 0;
        uint32_t size = 0;
        for (uint32_t i = 0; i <= STATISTICS_EXACT; i++)
            if (exact[i] > best && (exact[i] < above || (exact[i] == above && i > above_size))) {
                best = exact[i];
                size = i;
            }
        if (!best)
            return;
        char count[UNITS_TEXT];
        printf("    %13u %13s %5.1f%%\n", size, units_format_count(count, best),
               100.0 * (double)best / (double)total);
        above = best;
        above_size = size;
    }
}

static void info_print_classes(const struct info *info)
{
    const struct size_classes *classes = &info->classes;
    if (!classes->requested)
        return;
    uint64_t powers = size_classes_lost_by_powers(info->statistics->exact, STATISTICS_EXACT);
    printf("\n  size classes that suit it (up to %d KiB)\n   ", STATISTICS_EXACT >> 10);
    for (unsigned i = 0; i < classes->count; i++)
        printf(" %u", classes->size[i]);
    printf("\n    lose %.1f %% of the requested bytes to rounding; powers of two lose %.1f %%\n",
           100.0 * (double)classes->lost / (double)classes->requested,
           100.0 * (double)powers / (double)classes->requested);
}

static void info_print(const struct info *info)
{
    const struct trace_origin *origin = info->origin;
    uint64_t sized = 0;
    for (unsigned bin = 0; bin < STATISTICS_BINS; bin++)
        sized += info->statistics->sizes[bin];
    info_text("trace", info->path);
    info_text("program", origin->program);
    info_text("arguments", origin->arguments);
    info_text("host", origin->host);
    info_text("source", origin->source);
    info_text("written by", origin->tool);
    info_print_operations(info);
    info_print_load(info->summary);
    info_print_recording(info->summary);
    info_print_touched(info);
    info_print_lacks(info);
    info_size("file", info->file_bytes);
    printf("  %-20s %.3f\n", "bytes an event", info_bytes_per_event(info));
    if (!sized)
        return;
    info_print_bins("requested sizes (bytes)", info->statistics->sizes);
    info_print_bins("lifetimes of freed blocks (operations)", info->statistics->lifetimes);
    info_print_top(info->statistics->exact, sized);
    info_print_classes(info);
}

static int info_gather(struct info *info, struct err *err)
{
    int failed = trace_reader_open(&info->reader, info->path, err);
    if (failed)
        return failed;
    info->origin = trace_reader_origin(info->reader);
    info->summary = &info->statistics->tally.summary;
    failed = statistics_scan(info->statistics, info->reader, err);
    info->file_bytes = trace_reader_bytes(info->reader);
    if (size_classes_choose(&info->classes, info->statistics->exact, STATISTICS_EXACT,
                            INFO_CLASSES) &&
        !failed)
        failed = err_set(err, ENOMEM, "no memory left to choose size classes");
    return failed;
}

/* A damaged trace is told as far as it is whole, and the damage after it. */
static int info_one(const char *path, json_t *list)
{
    struct info info = {.path = path, .statistics = calloc(1, sizeof *info.statistics)};
    struct err err = {0};
    if (!info.statistics) {
        fputs("bench trace info: no memory left\n", stderr);
        return STATUS_USAGE;
    }
    int failed = info_gather(&info, &err);
    if (info.reader && list)
        json_array_append_new(list, info_json(&info));
    else if (info.reader)
        info_print(&info);
    if (failed)
        fprintf(stderr, "bench trace info: %s\n", err.text);
    if (info.reader)
        trace_reader_close(info.reader);
    statistics_release(info.statistics);
    free(info.statistics);
    return failed ? STATUS_USAGE : STATUS_DONE;
}

struct info_arguments {
    char **paths;
    int count;
    bool json;
};

static const struct argp_option info_options[] = {
    {"json", 'j', NULL, 0, "as JSON: one object, or a list of them for several traces", 0}, {0}};

static error_t info_parse(int key, char *value, struct argp_state *state)
{
    struct info_arguments *arguments = state->input;
    (void)value;
    switch (key) {
    case 'j':
        arguments->json = true;
        return 0;
    case ARGP_KEY_ARGS:
        arguments->paths = state->argv + state->next;
        arguments->count = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "name a trace (- for standard input)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp info_argp = {
    .options = info_options,
    .parser = info_parse,
    .args_doc = "TRACE...",
    .doc = "What a trace holds: operations, threads, load, sizes, lifetimes, where it comes from "
           "and what it lacks.\vExample:\n  bench trace info --json build.trace",
};

int trace_command_info(int argc, char **argv)
{
    struct info_arguments arguments = {0};
    command_parse(&info_argp, argc, argv, 0, &arguments);
    json_t *list = arguments.json ? json_array() : NULL;
    int status = STATUS_DONE;
    for (int i = 0; i < arguments.count; i++) {
        if (i && !list)
            putchar('\n');
        int own = info_one(arguments.paths[i], list);
        status = own ? own : status;
    }
    if (list) {
        json_t *only = json_array_get(list, 0);
        json_t *told = arguments.count == 1 ? only : list;
        if (told) {
            json_dumpf(told, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
            putchar('\n');
        }
        json_decref(list);
    }
    return status;
}
