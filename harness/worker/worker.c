/* What the passes share. */
#include "harness/worker/worker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clause.h"
#include "harness/base/clock.h"

void *worker_share(struct worker *worker, size_t bytes, bool touched, uint64_t *offset)
{
    struct stat info;
    if (fstat(worker->fd, &info) < 0)
        return NULL;
    *offset = ((uint64_t)info.st_size + 4095) & ~UINT64_C(4095);
    if (ftruncate(worker->fd, (off_t)(*offset + bytes)) < 0)
        return NULL;
    void *at =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE,
             MAP_SHARED | (touched ? MAP_POPULATE : MAP_NORESERVE), worker->fd, (off_t)*offset);
    return at == MAP_FAILED ? NULL : at;
}

int worker_refuse(struct worker *worker, const char *status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    snprintf(worker->result->status, sizeof worker->result->status, "%s", status);
    vsnprintf(worker->result->detail, sizeof worker->result->detail, format, arguments);
    va_end(arguments);
    return -ECANCELED;
}

void worker_note(struct worker *worker, const char *format, ...)
{
    struct cell_result *result = worker->result;
    va_list arguments;
    va_start(arguments, format);
    clause_add_list(result->detail, sizeof result->detail, format, arguments);
    va_end(arguments);
}

const struct trace_summary *worker_summary(const struct worker *worker)
{
    return trace_reader_summary(worker->reader);
}

int worker_next_window(struct worker *worker, struct err *err)
{
    int status = window_fill(&worker->window, err);
    if (status <= 0)
        return status;
    lanes_take_window(worker);
    worker->area->stage = STAGE_REPLAYING;
    return status;
}

void worker_window_done(struct worker *worker)
{
    const struct window *window = &worker->window;
    for (int kind = 0; kind < OP_LARGE; kind++)
        worker->by_kind[kind] += window->by_kind[kind];
    worker->area->operations_done += window->operations;
    lanes_set_out(worker);
    worker_count(worker);
}

void worker_count(struct worker *worker)
{
    struct cell_result *result = worker->result;
    const struct player sums = lanes_sums(worker);
    const uint64_t *done = worker->by_kind;
    result->operations = worker->area->operations_done;
    result->allocations = done[OP_MALLOC] + done[OP_CALLOC] + done[OP_ALIGNED] -
                          (sums.failed_allocations - sums.failed_reallocs);
    result->reallocations = done[OP_REALLOC] - sums.failed_reallocs - sums.skipped_reallocs;
    result->frees = done[OP_FREE] - sums.skipped_frees;
    result->failed_allocations = sums.failed_allocations;
}

void meter_start(struct meter *meter)
{
    if (!meter->begun)
        meter->migrations = crew_migrations(meter->crew);
    meter->begun = true;
    crew_counts(meter->crew, &meter->start);
    meter->thread_start_ns = clock_thread_ns();
    meter->start_ns = clock_ns();
}

void meter_stop(struct meter *meter)
{
    uint64_t end_ns = clock_ns();
    meter->thread_ns += clock_thread_ns() - meter->thread_start_ns;
    struct proc_counts now;
    crew_counts(meter->crew, &now);
    meter->elapsed_ns += end_ns - meter->start_ns;
    meter->sum.minor_faults += now.minor_faults - meter->start.minor_faults;
    meter->sum.major_faults += now.major_faults - meter->start.major_faults;
    meter->sum.context_switches += now.context_switches - meter->start.context_switches;
    meter->sum.cpu_ns += now.cpu_ns - meter->start.cpu_ns;
    meter->sum.involuntary_switches += now.involuntary_switches - meter->start.involuntary_switches;
    meter->sum.delayed_ns += now.delayed_ns - meter->start.delayed_ns;
}

void meter_report(const struct meter *meter, struct cell_result *result)
{
    result->elapsed_ns = meter->elapsed_ns;
    result->cpu_ns = meter->sum.cpu_ns;
    result->page_faults = meter->sum.minor_faults + meter->sum.major_faults;
    result->major_faults = meter->sum.major_faults;
    result->context_switches = meter->sum.context_switches;
    result->involuntary_switches = meter->sum.involuntary_switches;
    result->delayed_ns = meter->sum.delayed_ns;
    uint64_t migrations = crew_migrations(meter->crew);
    result->migrations = migrations == UINT64_MAX ? COUNT_UNKNOWN : migrations - meter->migrations;
}

/* With a core for each thread, what a thread waits for is what other programs have. */
static void worker_note_delays(struct worker *worker, const struct meter *meter)
{
    static const double worth_telling = 0.05;
    unsigned lanes = worker->crew.count;
    bool enough = lanes <= (unsigned)CPU_COUNT(&worker->area->request.cores);
    double share = (double)meter->sum.delayed_ns / ((double)meter->elapsed_ns * lanes);
    if (lanes > 1 && enough && meter->elapsed_ns > 0 && share > worth_telling)
        worker_note(worker, "the threads waited for cores more than 5 %% of their time, though "
                            "there is one for each: other programs run here (delayed_ns)");
}

void worker_report_time(struct worker *worker, const struct meter *meter)
{
    struct cell_result *result = worker->result;
    uint64_t elapsed = meter->elapsed_ns, taken = meter->sum.delayed_ns;
    /* The core may have been taken just before the clock was started. */
    uint64_t idle = meter->thread_ns < elapsed ? elapsed - meter->thread_ns : 0;
    if (worker->crew.count == 1) {
        result->taken_ns = taken < idle ? taken : idle;
        result->elapsed_ns = elapsed - result->taken_ns;
    }
    worker_note_delays(worker, meter);
    if (result->operations != COUNT_UNKNOWN)
        result->ns_per_op = (double)result->elapsed_ns / (double)result->operations;
}
