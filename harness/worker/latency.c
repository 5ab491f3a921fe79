/* The latency pass: a pair of time stamps around every call, sorted into histograms by operation
 * and size between the windows, with the clock stopped. */
#include <errno.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/pages.h"
#include "harness/worker/worker.h"

struct latency {
    uint64_t *ticks; /* one an operation of a window */
    size_t capacity;
    uint8_t *classes; /* size class of each live object */
    size_t objects;
    double ns_per_tick;
};

static int latency_init(struct latency *latency, const struct window *window, struct err *err)
{
    *latency = (struct latency){
        .capacity = window->capacity,
        .objects = window->objects + (size_t)1,
        .ns_per_tick = clock_ns_per_tick(20000000),
    };
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
                             (uint64_t)((double)*ticks * latency->ns_per_tick + 0.5));
    }
}

int latency_pass(struct worker *worker, struct err *err)
{
    struct latency latency;
    struct meter meter = {0};
    struct window *window = &worker->window;
    int status = latency_init(&latency, window, err);
    if (status < 0)
        return status;
    worker->result->clock_cost_ns = (double)player_clock_cost() * latency.ns_per_tick;
    if (!clock_counter_is_invariant())
        worker_note(worker, "the time-stamp counter is not invariant here: its rate may change "
                            "while it is read");
    while ((status = worker_next_window(worker, err)) > 0) {
        meter_start(&meter);
        player_run_timed(worker->player, window->words, window->words + window->count,
                         worker->touch, latency.ticks);
        meter_stop(&meter);
        latency_sort(&latency, window, &worker->area->latency);
        worker_window_done(worker);
    }
    meter_report(&meter, worker->result);
    return status;
}
