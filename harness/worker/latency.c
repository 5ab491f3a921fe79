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
    uint64_t *sizes; /* of each live object */
    size_t objects;
    struct timer timer;
    uint64_t absences[ABSENCE_SOME + 1]; /* calls, by enum absence_kind */
};

/* Context switches in a window. */
struct latency_switches {
    uint64_t all, involuntary;
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
    latency->sizes = pages_map(latency->objects * sizeof *latency->sizes);
    if (!latency->ticks || !latency->sizes)
        return err_set(err, errno, "no memory for the time stamps of %zu operations",
                       latency->capacity);
    return 0;
}

/* Where nothing slept at all, the core was taken away. */
static enum absence_kind latency_absence(uint64_t told, const struct latency_switches *switches)
{
    enum absence_kind kind = player_absence(told);
    bool taken = kind == ABSENCE_SOME && switches->all == switches->involuntary;
    return taken ? ABSENCE_TAKEN : kind;
}

/* A free belongs to the class of the block it frees. */
static void latency_sort(struct latency *latency, const struct worker *worker,
                         const struct latency_switches *switches)
{
    const bool absence_told = absence_is_told();
    const struct window *window = &worker->window;
    struct latency_area *area = &worker->area->latency;
    const uint64_t *op = window->words, *end = op + window->count;
    for (size_t i = 0; op < end; i++) {
        struct operation operation;
        op = op_read(op, &operation);
        uint64_t *size = &latency->sizes[operation.object];
        if (operation.kind != OP_FREE)
            *size = operation.size;
        if (latency->ticks[i] == PLAYER_SKIPPED)
            continue;
        const struct worst_call call = {
            .ns = (uint64_t)((double)player_ticks(latency->ticks[i]) * latency->timer.ns_per_tick +
                             0.5),
            .operation = worker->area->operations_done + i,
            .event = window->places[i].event,
            .thread = window->places[i].thread,
            .size = *size,
            .kind = operation.kind,
            .switches = switches->involuntary,
            .absence = latency_absence(latency->ticks[i], switches),
            .absence_told = absence_told,
            .among_others = worker->crew.count > 1,
        };
        latency->absences[call.absence]++;
        histogram_record(&area->histograms[call.kind][size_class(call.size)], call.ns);
        if (worst_takes(&area->worst, call.ns))
            worst_add(&area->worst, &call);
    }
}

static void latency_state_clock(const struct latency *latency, struct cell_result *result)
{
    enum clock_kind clock = latency->timer.clock;
    strcpy(result->clock, clock_names[clock]);
    result->clock_cost_ns = (double)player_clock_cost(clock) * latency->timer.ns_per_tick;
}

/* Which of the two an absence was is known of all or of none. */
static void latency_report_absences(const struct latency *latency, struct cell_result *result)
{
    if (!absence_is_told() || latency->absences[ABSENCE_SOME] > 0)
        return;
    result->calls_taken = latency->absences[ABSENCE_TAKEN];
    result->calls_slept = latency->absences[ABSENCE_SLEPT];
}

/* The switches since the last time. */
static struct latency_switches latency_switches(const struct meter *meter,
                                                struct latency_switches *before)
{
    const struct latency_switches now = {meter->sum.context_switches,
                                         meter->sum.involuntary_switches};
    const struct latency_switches since = {now.all - before->all,
                                           now.involuntary - before->involuntary};
    *before = now;
    return since;
}

int latency_pass(struct worker *worker, struct err *err)
{
    struct latency latency;
    struct meter meter = {.crew = &worker->crew};
    struct window *window = &worker->window;
    struct latency_switches before = {0};
    bool sampled = worker->area->request.latency_sample > 1;
    int status = latency_init(&latency, window, err);
    if (status < 0)
        return status;
    latency_state_clock(&latency, worker->result);
    worker->result->latency_sample = sampled ? worker->area->request.latency_sample : 1;
    while ((status = worker_next_window(worker, err)) > 0) {
        if (sampled)
            memset(latency.ticks, 0xff, window->operations * sizeof *latency.ticks);
        meter_start(&meter);
        crew_play_timed(&worker->crew, latency.timer.clock, latency.ticks);
        meter_stop(&meter);
        crew_collect(&worker->crew, window, latency.ticks);
        const struct latency_switches switches = latency_switches(&meter, &before);
        latency_sort(&latency, worker, &switches);
        worker_window_done(worker);
    }
    meter_report(&meter, worker->result);
    latency_report_absences(&latency, worker->result);
    lanes_report(worker);
    if (status == 0)
        worker_report_time(worker, &meter);
    /* Stamps around every call are more of the time than many a call. */
    if (!sampled)
        worker->result->ns_per_op = REAL_UNKNOWN;
    double drift = timer_drift(&latency.timer);
    if (drift > latency_drift_allowed)
        worker_note(worker,
                    "the %s clock ran %.1f %% off its first rate: latencies are that uncertain",
                    clock_names[latency.timer.clock], 100 * drift);
    return status;
}
