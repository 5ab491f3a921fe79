/* The tables of bench trace info: sizes, lifetimes, classes, threads, call sites. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "harness/base/units.h"
#include "harness/commands/info.h"
#include "results/text.h"

/* A number, or a time. */
static const char *info_bound(char text[UNITS_TEXT], uint64_t value, bool is_time)
{
    return is_time ? units_format_time(text, (double)value) : units_format_count(text, value);
}

static void info_print_bins(const struct info *info, const char *title, const uint64_t *bins,
                            bool times)
{
    uint64_t total = 0, most = 0;
    for (unsigned bin = 0; bin < STATISTICS_BINS; bin++) {
        total += bins[bin];
        most = bins[bin] > most ? bins[bin] : most;
    }
    if (!total)
        return;
    fprintf(info->out, "\n  %s\n", title);
    for (unsigned bin = 0; bin < STATISTICS_BINS; bin++) {
        char low[UNITS_TEXT], high[UNITS_TEXT], count[UNITS_TEXT];
        static const char bar[] = "########################################";
        if (!bins[bin])
            continue;
        int length = (int)((double)bins[bin] * 40 / (double)most);
        fprintf(info->out, "    %13s - %-13s %13s %5.1f%% %.*s\n",
                info_bound(low, statistics_bin_low(bin), times),
                info_bound(high, statistics_bin_high(bin), times),
                units_format_count(count, bins[bin]), 100.0 * (double)bins[bin] / (double)total,
                length, bar);
    }
}

static void info_print_top(const struct info *info, uint64_t total)
{
    const uint64_t *exact = info->statistics->exact;
    uint64_t above = UINT64_MAX;
    uint32_t above_size = 0;
    fprintf(info->out, "\n  most frequent sizes (up to %d KiB)\n", STATISTICS_EXACT >> 10);
    for (int rank = 0; rank < INFO_TOP; rank++) {
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
        fprintf(info->out, "    %13u %13s %5.1f%%\n", size, units_format_count(count, best),
                100.0 * (double)best / (double)total);
        above = best;
        above_size = size;
    }
}

/* In per cent of `whole`. */
static double info_share(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void info_print_sizes(const struct info *info, const struct size_classes *classes)
{
    fputs("   ", info->out);
    for (unsigned i = 0; i < classes->count; i++)
        fprintf(info->out, " %u", classes->size[i]);
    fputc('\n', info->out);
}

static void info_print_loss(const struct info *info, const char *of,
                            const struct info_rounding *rounding)
{
    fprintf(info->out, "    lose %.1f %% of %s to rounding; powers of two lose %.1f %%\n",
            info_share(rounding->lost, rounding->bytes), of,
            info_share(rounding->lost_by_powers, rounding->bytes));
}

/* Memory is lost on what lives when most does, be it ever so small a part of what is asked for in
 * the course of time; copying and clearing cost by the latter. */
static void info_print_classes(const struct info *info)
{
    const struct info_rounding *peak = &info->peak;
    if (!info->requests.bytes)
        return;
    fprintf(info->out, "\n  size classes that suit what is asked for (up to %d KiB)\n",
            STATISTICS_EXACT >> 10);
    info_print_sizes(info, &info->classes);
    info_print_loss(info, "the requested bytes", &info->requests);
    if (!peak->bytes)
        return;
    info_print_loss(info, "what is live at the peak", peak);
    fprintf(info->out,
            "  size classes that suit what is live at the peak (%.1f %% of it is in such blocks)\n",
            info_share(peak->bytes, info->summary->peak_live_bytes));
    info_print_sizes(info, &info->peak_classes);
    fprintf(info->out, "    lose %.1f %% of it\n",
            info_share(info->peak_classes.lost, peak->bytes));
}

static void info_print_threads(const struct info *info)
{
    const struct statistics_thread *threads = info->statistics->threads.at;
    size_t count = info->summary->threads;
    if (count < 2)
        return;
    uint32_t *order = info_threads_by_operations(info);
    fprintf(info->out,
            "\n  busiest threads    operations   allocations     requested         frees  "
            "of others' blocks\n");
    for (size_t i = 0; i < count && i < INFO_TOP; i++) {
        const struct statistics_thread *thread = &threads[order[i]];
        char texts[5][UNITS_TEXT];
        fprintf(info->out, "    t%-10" PRIu32 " %13s %13s %13s %13s %18s\n", order[i],
                units_format_count(texts[0], thread->operations),
                units_format_count(texts[1], thread->allocations),
                units_format_size(texts[2], thread->bytes),
                units_format_count(texts[3], thread->frees),
                units_format_count(texts[4], thread->foreign_frees));
    }
    if (count > INFO_TOP)
        fprintf(info->out, "    and %zu more\n", count - INFO_TOP);
    free(order);
}

static void info_print_sites(const struct info *info)
{
    if (!info->site_count)
        return;
    fprintf(info->out, "\n  call sites         live at peak         calls     requested  (callers: "
                       "bench trace dump "
                       "--sites)\n");
    for (size_t i = 0; i < info->site_count && i < INFO_TOP; i++) {
        const struct info_site *site = &info->sites[i];
        char texts[3][UNITS_TEXT];
        fprintf(info->out, "    %13s %5.1f%%    %13s %13s  ",
                units_format_size(texts[0], site->at_peak),
                info_share(site->at_peak, info->summary->peak_live_bytes),
                units_format_count(texts[1], site->calls),
                units_format_size(texts[2], site->bytes));
        text_plain(info->out, site->label);
        fputc('\n', info->out);
    }
    if (info->site_count > INFO_TOP)
        fprintf(info->out, "    and %zu more\n", info->site_count - INFO_TOP);
}

void info_print_tables(const struct info *info, uint64_t sized)
{
    const struct statistics *statistics = info->statistics;
    info_print_bins(info, "requested sizes (bytes)", statistics->sizes, false);
    info_print_bins(info, "lifetimes of freed blocks (operations)", statistics->lifetimes, false);
    if (info->origin->columns & TRACE_HAS_TIMES)
        info_print_bins(info, "lifetimes of freed blocks (time)", statistics->lifetimes_ns, true);
    info_print_top(info, sized);
    info_print_classes(info);
    info_print_threads(info);
    info_print_sites(info);
}
