/* Statistics along a trace. */
#include "workloads/statistics.h"

#include <errno.h>
#include <stdbool.h>

#include "workloads/record/spool.h"

static unsigned statistics_bin(uint64_t value)
{
    return value ? 64 - (unsigned)__builtin_clzll(value) : 0;
}

uint64_t statistics_bin_low(unsigned bin)
{
    return bin ? UINT64_C(1) << (bin - 1) : 0;
}

uint64_t statistics_bin_high(unsigned bin)
{
    return bin ? statistics_bin_low(bin) * 2 - 1 : 0;
}

/* What is known of an object while it lives, beside what the tally knows. */
struct statistics_object {
    uint64_t born, born_ns; /* event and time of its allocation */
    uint32_t site;
};

static struct statistics_object *statistics_object(const struct statistics *statistics,
                                                   uint32_t object)
{
    return (struct statistics_object *)statistics->objects.at + object;
}

static struct statistics_thread *statistics_thread(const struct statistics *statistics,
                                                   uint32_t thread)
{
    return (struct statistics_thread *)statistics->threads.at + thread;
}

static struct statistics_site *statistics_site(const struct statistics *statistics, uint32_t site)
{
    return (struct statistics_site *)statistics->sites.at + site;
}

static int statistics_reserve(struct statistics *statistics, const struct trace_event *event)
{
    bool names = event->kind != TRACE_MARK && event->object != TRACE_NO_OBJECT;
    if (event->site >= statistics->site_count)
        statistics->site_count = event->site + 1;
    return (names && array_reserve(&statistics->objects, ((size_t)event->object + 1) *
                                                             sizeof(struct statistics_object))) ||
                   array_reserve(&statistics->threads,
                                 ((size_t)event->thread + 1) * sizeof(struct statistics_thread)) ||
                   array_reserve(&statistics->sites,
                                 statistics->site_count * sizeof(struct statistics_site))
               ? -ENOMEM
               : 0;
}

/* A block of that size and site lives from now on, or no longer. */
static void statistics_live(struct statistics *statistics, uint64_t size, uint32_t site, bool lives)
{
    if (size <= STATISTICS_EXACT)
        level_add(&statistics->live[size], statistics->peaks, lives ? 1 : UINT64_MAX);
    level_add(&statistics_site(statistics, site)->live, statistics->peaks, lives ? size : -size);
}

static void statistics_touched(struct statistics *statistics, const struct trace_event *event)
{
    uint64_t touched = (uint64_t)event->touched_pages * TRACE_TOUCHED_PAGE;
    statistics->partly_touched++;
    statistics->untouched_bytes += event->size > touched ? event->size - touched : 0;
}

/* An allocation or resize that did not fail. */
static void statistics_request(struct statistics *statistics, const struct trace_event *event)
{
    unsigned bin = statistics_bin(event->size);
    struct statistics_site *site = statistics_site(statistics, event->site);
    struct statistics_thread *thread = statistics_thread(statistics, event->thread);
    statistics->sizes[bin]++;
    statistics->size_bytes[bin] += event->size;
    if (event->size <= STATISTICS_EXACT)
        statistics->exact[event->size]++;
    statistics->large += event->size >= SPOOL_LARGE;
    if (event->touched_pages)
        statistics_touched(statistics, event);
    site->calls++;
    site->bytes += event->size;
    thread->allocations++;
    thread->bytes += event->size;
    statistics_live(statistics, event->size, event->site, true);
    statistics_object(statistics, event->object)->site = event->site;
}

static void statistics_allocation(struct statistics *statistics, const struct trace_event *event)
{
    *statistics_object(statistics, event->object) = (struct statistics_object){
        .born = statistics->tally.summary.events, .born_ns = event->time_ns};
    statistics_request(statistics, event);
}

static void statistics_resize(struct statistics *statistics, const struct trace_event *event)
{
    const struct tally_object *known = tally_object(&statistics->tally, event->object);
    const struct statistics_object *object = statistics_object(statistics, event->object);
    statistics->cross_thread_resizes += known->thread != event->thread;
    statistics_live(statistics, known->size, object->site, false);
    statistics_request(statistics, event);
}

static void statistics_free(struct statistics *statistics, const struct trace_event *event)
{
    const struct tally_object *known = tally_object(&statistics->tally, event->object);
    const struct statistics_object *object = statistics_object(statistics, event->object);
    struct statistics_thread *thread = statistics_thread(statistics, event->thread);
    statistics->lifetimes[statistics_bin(statistics->tally.summary.events - object->born)]++;
    statistics->lifetimes_ns[statistics_bin(event->time_ns - object->born_ns)]++;
    statistics_live(statistics, known->size, object->site, false);
    thread->frees++;
    thread->foreign_frees += known->thread != event->thread;
}

/* Counts one event. 0 or -ENOMEM. */
static int statistics_add(struct statistics *statistics, const struct trace_event *event)
{
    const struct trace_summary *sum = &statistics->tally.summary;
    uint64_t peak = sum->peak_live_bytes;
    if (statistics_reserve(statistics, event))
        return -ENOMEM;
    if (!sum->events)
        statistics->first_ns = event->time_ns;
    statistics_thread(statistics, event->thread)->operations++;
    if (event->flags & TRACE_FAILED || event->object == TRACE_NO_OBJECT) {
        /* Nothing lives or dies. */
    } else if (event->kind == TRACE_FREE)
        statistics_free(statistics, event);
    else if (event->kind == TRACE_REALLOC)
        statistics_resize(statistics, event);
    else if (event->kind != TRACE_MARK)
        statistics_allocation(statistics, event);
    if (tally_add(&statistics->tally, event))
        return -ENOMEM;
    statistics->peaks += sum->peak_live_bytes > peak;
    return 0;
}

/* What events do not show. */
static void statistics_footer(struct trace_summary *summary, const struct trace_summary *footer)
{
    if (!footer)
        return;
    summary->source_events = footer->source_events;
    summary->lost_events = footer->lost_events;
    summary->repairs = footer->repairs;
    summary->orphan_frees = footer->orphan_frees;
    summary->double_allocations = footer->double_allocations;
    summary->inversions = footer->inversions;
    summary->bad_records = footer->bad_records;
    summary->cut_tails = footer->cut_tails;
    summary->backward_times = footer->backward_times;
    summary->program_wall_ns = footer->program_wall_ns;
    summary->program_cpu_ns = footer->program_cpu_ns;
    summary->recorder_ns = footer->recorder_ns;
    summary->touch_looks = footer->touch_looks;
    summary->unrecorded_exec = footer->unrecorded_exec;
    summary->drain_ns = footer->drain_ns;
    summary->late_ns = footer->late_ns;
    summary->end_signal = footer->end_signal;
    summary->own_malloc = footer->own_malloc;
}

int statistics_scan(struct statistics *statistics, struct trace_reader *reader, struct err *err)
{
    struct trace_block block;
    int more;
    while ((more = trace_reader_next(reader, &block, err)) == 1)
        for (size_t i = 0, touched = 0; i < block.count; i++) {
            struct trace_event event = trace_block_at(&block, i);
            event.touched_pages = trace_block_touched(&block, i, &touched);
            if (statistics_add(statistics, &event))
                return err_set(err, ENOMEM, "no memory left to count a trace's objects");
        }
    statistics_footer(&statistics->tally.summary, trace_reader_summary(reader));
    return more;
}

void statistics_at_peak(const struct statistics *statistics, uint64_t counts[STATISTICS_EXACT + 1])
{
    for (uint32_t size = 0; size <= STATISTICS_EXACT; size++)
        counts[size] = level_at_peak(&statistics->live[size], statistics->peaks);
}

void statistics_release(struct statistics *statistics)
{
    tally_release(&statistics->tally);
    array_release(&statistics->objects);
    array_release(&statistics->threads);
    array_release(&statistics->sites);
}
