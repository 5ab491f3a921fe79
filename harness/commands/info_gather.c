/* What bench trace info tells, gathered from a trace. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/commands/info.h"
#include "harness/explain/frames.h"

enum { INFO_CLASSES = 16 };

static void info_round(const struct info *info, const uint64_t *counts, struct info_rounding *out)
{
    for (uint32_t size = 0; size <= STATISTICS_EXACT; size++)
        out->bytes += counts[size] * size;
    out->lost = size_classes_lost(&info->classes, counts, STATISTICS_EXACT);
    out->lost_by_powers = size_classes_lost_by_powers(counts, STATISTICS_EXACT);
}

static int info_classes(struct info *info, struct err *err)
{
    const struct statistics *statistics = info->statistics;
    uint64_t *peak = calloc(STATISTICS_EXACT + 1, sizeof *peak);
    int failed = peak ? size_classes_choose(&info->classes, statistics->exact, STATISTICS_EXACT,
                                            INFO_CLASSES)
                      : -ENOMEM;
    if (!failed) {
        statistics_at_peak(statistics, peak);
        failed = size_classes_choose(&info->peak_classes, peak, STATISTICS_EXACT, INFO_CLASSES);
    }
    if (!failed) {
        info_round(info, statistics->exact, &info->requests);
        info_round(info, peak, &info->peak);
    }
    free(peak);
    return failed ? err_set(err, ENOMEM, "no memory left to choose size classes") : 0;
}

static int info_site_by_label(const void *a, const void *b)
{
    const struct info_site *left = a, *right = b;
    return strcmp(left->label, right->label);
}

static int info_site_by_bytes(const void *a, const void *b)
{
    const struct info_site *left = a, *right = b;
    if (left->at_peak != right->at_peak)
        return left->at_peak < right->at_peak ? 1 : -1;
    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    return strcmp(left->label, right->label);
}

static char *info_label(const struct info *info, uint32_t number)
{
    const char *stack = number ? trace_reader_site(info->reader, number) : NULL;
    return stack ? stack_label(stack) : strdup("(not known)");
}

/* Those of one label become one. */
static void info_join_sites(struct info *info)
{
    size_t kept = 0;
    qsort(info->sites, info->site_count, sizeof *info->sites, info_site_by_label);
    for (size_t i = 0; i < info->site_count; i++) {
        struct info_site *site = &info->sites[i], *last = kept ? &info->sites[kept - 1] : NULL;
        if (!last || strcmp(last->label, site->label) != 0) {
            info->sites[kept++] = *site;
            continue;
        }
        last->at_peak += site->at_peak;
        last->calls += site->calls;
        last->bytes += site->bytes;
        free(site->label);
    }
    info->site_count = kept;
    qsort(info->sites, kept, sizeof *info->sites, info_site_by_bytes);
}

static int info_sites(struct info *info, struct err *err)
{
    const struct statistics *statistics = info->statistics;
    const struct statistics_site *sites = statistics->sites.at;
    if (!(info->origin->columns & TRACE_HAS_SITES))
        return 0;
    info->sites = calloc(statistics->site_count + (size_t)1, sizeof *info->sites);
    for (uint32_t i = 0; info->sites && i < statistics->site_count; i++) {
        if (!sites[i].calls)
            continue;
        char *label = info_label(info, i);
        if (!label)
            return err_set(err, ENOMEM, "no memory left for the names of call sites");
        info->sites[info->site_count++] =
            (struct info_site){label, level_at_peak(&sites[i].live, statistics->peaks),
                               sites[i].calls, sites[i].bytes};
    }
    if (!info->sites)
        return err_set(err, ENOMEM, "no memory left for %u call sites", statistics->site_count);
    info_join_sites(info);
    return 0;
}

int info_gather(struct info *info, struct err *err)
{
    struct err later;
    info->statistics = calloc(1, sizeof *info->statistics);
    if (!info->statistics)
        return err_set(err, ENOMEM, "no memory left to count a trace");
    int failed = trace_reader_open(&info->reader, info->path, err);
    if (failed)
        return failed;
    info->origin = trace_reader_origin(info->reader);
    info->summary = &info->statistics->tally.summary;
    failed = statistics_scan(info->statistics, info->reader, err);
    info->file_bytes = trace_reader_bytes(info->reader);
    int after = info_classes(info, failed ? &later : err);
    if (!after)
        after = info_sites(info, failed ? &later : err);
    return failed ? failed : after;
}

void info_release(struct info *info)
{
    for (size_t i = 0; i < info->site_count; i++)
        free(info->sites[i].label);
    free(info->sites);
    if (info->reader)
        trace_reader_close(info->reader);
    if (info->statistics)
        statistics_release(info->statistics);
    free(info->statistics);
}

struct info_busy {
    uint64_t operations;
    uint32_t thread;
};

static int info_by_operations(const void *a, const void *b)
{
    const struct info_busy *left = a, *right = b;
    if (left->operations != right->operations)
        return left->operations < right->operations ? 1 : -1;
    return (left->thread > right->thread) - (left->thread < right->thread);
}

uint32_t *info_threads_by_operations(const struct info *info)
{
    const struct statistics_thread *threads = info->statistics->threads.at;
    size_t count = info->summary->threads;
    struct info_busy *busy = calloc(count + 1, sizeof *busy);
    uint32_t *order = calloc(count + 1, sizeof *order);
    if (!busy || !order)
        err_no_memory("%zu threads", count);
    for (size_t i = 0; i < count; i++)
        busy[i] = (struct info_busy){threads[i].operations, (uint32_t)i};
    qsort(busy, count, sizeof *busy, info_by_operations);
    for (size_t i = 0; i < count; i++)
        order[i] = busy[i].thread;
    free(busy);
    return order;
}
