/* The latency pass: time stamps between all calls, sorted into histograms by operation and size
 * between the windows, with the clock stopped. */
#include <errno.h>
#include <string.h>

#include "harness/base/pages.h"
#include "harness/measure/timer.h"
#include "harness/worker/worker.h"

struct latency {
    uint64_t *ticks; /* one an operation of a window */
    size_t capacity;
    uint8_t *classes; /* size class of each live object */
    size_t objects;
    struct timer timer;
};

/* Beyond this the rate of the clock is not known well enough to be silent about. */
static const double latency_drift_allowed = 0.002;

static int latency_init(struct latency *latency, const struct window *window, struct err *err)
{
    *latency = (struct latency){
        .capacity = window->capacity,
        .objects = window->objects + (size_t)1,
    };
    timer_init(&latency->timer);
    latency->ticks = pages_map(latency->capacity * sizeof *latency->ticks);
    latency->classes = pages_map(latency->objects);
    if (!latency->ticks || !latency->classes)
        return err_set(err, errno, "no memory for the time stamps of %zu operations",
                       latency->capacity);
    return 0;
}

/* A free belongs to the class of the block it frees. */
static void latency_sort(struct latency *latency, const struct window *window,
                         struct latency_area *area)
{
    const uint64_t *op = window->words, *ticks = latency->ticks;
    for (const uint64_t *end = op + window->count; op < end; ticks++) {
        struct operation operation;
        op = op_read(op, &operation);
        uint8_t *class = &latency->classes[operation.object];
        if (operation.kind != OP_FREE)
            *class = (uint8_t)size_class(operation.size);
        if (*ticks != PLAYER_SKIPPED)
            histogram_record(&area->histograms[operation.kind][*class],
                             (uint64_t)((double)*ticks * latency->timer.ns_per_tick + 0.5));
    }
}

static void latency_state_clock(const struct latency *latency, struct cell_result *result)
{
    enum clock_kind clock = latency->timer.clock;
    strcpy(result->clock, clock_names[clock]);
    result->clock_cost_ns = (double)player_clock_cost(clock) * latency->timer.ns_per_tick;
}

int latency_pass(struct worker *worker, struct err *err)
{
    struct latency latency;
    struct meter meter = {0};
    struct window *window = &worker->window;
    int status = latency_init(&latency, window, err);
    if (status < 0)
        return status;
    latency_state_clock(&latency, worker->result);
    while ((status = worker_next_window(worker, err)) > 0) {
        meter_start(&meter);
        crew_play_timed(&worker->crew, latency.timer.clock, latency.ticks);
        meter_stop(&meter);
        crew_collect(&worker->crew, window, latency.ticks);
        latency_sort(&latency, window, &worker->area->latency);
        worker_window_done(worker);
    }
    meter_report(&meter, worker->result);
    lanes_report(worker);
    double drift = timer_drift(&latency.timer);
    if (drift > latency_drift_allowed)
        worker_note(worker,
                    "the %s clock ran %.1f %% off its first rate: latencies are that uncertain",
                    clock_names[latency.timer.clock], 100 * drift);
    return status;
}
