/* The throughput pass: the whole loop between two readings of the clock, nothing else in between.
 */
#include <stdio.h>

#include "harness/worker/worker.h"

/* What the counters say of a window without operations, which is taken off each that has some. */
static void throughput_count_nothing(const struct worker *worker, uint64_t nothing[COUNTERS])
{
    const struct counters *counters = &worker->counters;
    struct meter meter = {.crew = &worker->crew, .begun = true};
    counters_start(counters);
    meter_start(&meter);
    meter_stop(&meter);
    counters_stop(counters);
    counters_read(counters, nothing);
}

static void throughput_report_counts(const struct worker *worker, const uint64_t nothing[COUNTERS],
                                     uint64_t windows)
{
    struct cell_result *result = worker->result;
    double *const figures[COUNTERS] = {
        [COUNTER_CYCLES] = &result->cycles_per_op,
        [COUNTER_INSTRUCTIONS] = &result->instructions_per_op,
        [COUNTER_CACHE_MISSES] = &result->cache_misses_per_op,
        [COUNTER_TLB_MISSES] = &result->tlb_misses_per_op,
    };
    uint64_t counts[COUNTERS];
    counters_read(&worker->counters, counts);
    snprintf(result->counters, sizeof result->counters, "%s",
             counters_verdict(&worker->counters, counts));
    for (size_t i = 0; i < COUNTERS; i++) {
        double count = (double)counts[i] - (double)nothing[i] * (double)(windows + 1);
        if (counts[i] != UINT64_MAX && nothing[i] != UINT64_MAX && result->operations)
            *figures[i] = (count > 0 ? count : 0) / (double)result->operations;
    }
}

/* Resident now; its peak counts from here. 0 when that cannot be. */
static uint64_t throughput_begin_peak(void)
{
    struct proc_sizes sizes = {0};
    return proc_reset_peak() == 0 && proc_sizes(&sizes) == 0 ? sizes.rss : 0;
}

/* The peak of P with nothing sampled on the way: what gives back by the clock has not more time for
 * it than the calls take. */
static void throughput_report_peak(struct worker *worker, uint64_t base_rss)
{
    uint64_t peak = proc_kilobytes("/proc/self/status", "VmHWM:");
    if (base_rss == 0 || peak == UINT64_MAX || allocator_has(worker->heap->ops, ALLOCATOR_NOT_REAL))
        return;
    worker->result->base_rss_bytes = base_rss;
    worker->result->peak_rss_bytes = peak > base_rss ? peak - base_rss : 0;
}

int throughput_pass(struct worker *worker, struct err *err)
{
    struct meter meter = {.crew = &worker->crew};
    uint64_t nothing[COUNTERS], windows = 0;
    int status;
    throughput_count_nothing(worker, nothing);
    uint64_t base_rss = throughput_begin_peak();
    while ((status = worker_next_window(worker, err)) > 0) {
        counters_start(&worker->counters);
        meter_start(&meter);
        crew_play(&worker->crew);
        meter_stop(&meter);
        counters_stop(&worker->counters);
        windows++;
        worker_window_done(worker);
    }
    if (status < 0)
        return status;
    throughput_report_peak(worker, base_rss);
    meter_report(&meter, worker->result);
    lanes_report(worker);
    throughput_report_counts(worker, nothing, windows);
    worker_report_time(worker, &meter);
    return 0;
}
