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

static void statistics_size(struct statistics *statistics, uint64_t size)
{
    unsigned bin = statistics_bin(size);
    statistics->sizes[bin]++;
    statistics->size_bytes[bin] += size;
    if (size <= STATISTICS_EXACT)
        statistics->exact[size]++;
}

static int statistics_birth(struct statistics *statistics, uint32_t object)
{
    if (array_reserve(&statistics->births, ((size_t)object + 1) * sizeof(uint64_t)))
        return -ENOMEM;
    ((uint64_t *)statistics->births.at)[object] = statistics->tally.summary.events;
    return 0;
}

static void statistics_touched(struct statistics *statistics, const struct trace_event *event)
{
    uint64_t touched = (uint64_t)event->touched_pages * TRACE_TOUCHED_PAGE;
    statistics->partly_touched++;
    statistics->untouched_bytes += event->size > touched ? event->size - touched : 0;
}

/* Counts one event. 0 or -ENOMEM. */
static int statistics_add(struct statistics *statistics, const struct trace_event *event)
{
    bool failed = event->flags & TRACE_FAILED, names = event->object != TRACE_NO_OBJECT;
    if (event->kind <= TRACE_ALIGNED && !failed) {
        statistics_size(statistics, event->size);
        statistics->large += event->size >= SPOOL_LARGE;
        if (event->touched_pages)
            statistics_touched(statistics, event);
        if (event->kind != TRACE_REALLOC && statistics_birth(statistics, event->object))
            return -ENOMEM;
    } else if (event->kind == TRACE_FREE && names) {
        uint64_t born = ((const uint64_t *)statistics->births.at)[event->object];
        statistics->lifetimes[statistics_bin(statistics->tally.summary.events - born)]++;
    }
    return tally_add(&statistics->tally, event);
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

void statistics_release(struct statistics *statistics)
{
    tally_release(&statistics->tally);
    array_release(&statistics->births);
}
