/* A replay that does the slowest calls of another again, and looks at them: once with the clock and
 * the count of page faults, once for the parent, which traces the system calls (tracer.h). */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/pages.h"
#include "harness/measure/timer.h"
#include "harness/worker/worker.h"

/* In shared memory: turns may be taken by processes. */
struct prober {
    struct worker *worker;
    struct worst *worst;
    struct timer timer;
    size_t next;         /* of the calls to look at */
    uint64_t operations; /* before the window */
    bool traced;
};

/* Stops `thread`, the calling one, for the parent. Nothing but the system call that it waits for.
 */
static void probe_mark(const struct prober *probe, pid_t process, pid_t thread)
{
    if (probe->traced)
        syscall(SYS_tgkill, process, thread, PROBE_SIGNAL);
}

static uint64_t probe_page_faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
}

/* The lane's own, since each process sees the heap elsewhere. */
static struct player probe_player(const struct worker *worker)
{
    return (struct player){.heap = worker->crew.heap, .refs = worker->player->refs};
}

/* What the timed replay wrote into the block between two calls. */
static void probe_touch(const struct worker *worker, const struct operation *operation)
{
    void *ref = worker->player->refs[operation->object];
    if (operation->kind != OP_FREE && ref)
        player_touch_block(worker->crew.heap, ref, operation, worker->touch);
}

/* Returns the word after it. */
static const uint64_t *probe_call(struct prober *probe, const uint64_t *op)
{
    struct worker *worker = probe->worker;
    struct worst_call *call = &probe->worst->calls[probe->next++];
    struct player player = probe_player(worker);
    struct operation operation;
    const uint64_t *end = op_read(op, &operation);
    pid_t process = getpid(), thread = gettid();
    uint64_t ticks, faults = probe_page_faults();
    probe_mark(probe, process, thread);
    player_run_timed(&player, op, end, TOUCH_NONE, probe->timer.clock, &ticks);
    probe_mark(probe, process, thread);
    faults = probe_page_faults() - faults;
    if (!probe->traced && ticks != PLAYER_SKIPPED) {
        call->page_faults = faults;
        call->again_ns = (uint64_t)((double)player_ticks(ticks) * probe->timer.ns_per_tick + 0.5);
    }
    probe_touch(worker, &operation);
    return end;
}

static bool probe_is_done(const struct prober *probe)
{
    return probe->next == probe->worst->count;
}

/* Plays `count` operations, of which the first is number `first` of the window. */
static void probe_turn(void *arg, const uint64_t *op, size_t first, size_t count)
{
    struct prober *probe = arg;
    struct worker *worker = probe->worker;
    uint64_t at = probe->operations + first, end = at + count;
    while (at < end) {
        const uint64_t *from = op;
        struct operation skipped;
        uint64_t wanted = probe_is_done(probe) ? end : probe->worst->calls[probe->next].operation;
        for (; at < wanted && at < end; at++)
            op = op_read(op, &skipped);
        struct player player = probe_player(worker);
        player_run(&player, from, op, worker->touch);
        if (at < end) {
            op = probe_call(probe, op);
            at++;
        }
    }
}

/* The parent says whether it may trace. */
static bool probe_await_tracer(const struct area *area)
{
    static const struct timespec nap = {.tv_nsec = 100000};
    while (area->tracing == TRACING_UNDECIDED)
        nanosleep(&nap, NULL);
    return area->tracing == TRACING_ON;
}

/* The operations come in the recorded order, each in its own lane's thread. */
static int probe_play(struct prober *probe, struct err *err)
{
    struct worker *worker = probe->worker;
    int status = 0;
    while (!probe_is_done(probe) && (status = worker_next_window(worker, err)) > 0) {
        crew_take_turns(&worker->crew, &worker->window, probe_turn, probe);
        probe->operations += worker->window.operations;
    }
    return status < 0 ? status : 0;
}

int probe_prepare(struct worker *worker, struct err *err)
{
    struct prober *probe = pages_map(sizeof *probe);
    if (!probe)
        return err_set(err, errno, "no memory to look at the slowest calls");
    *probe = (struct prober){.worker = worker, .worst = &worker->area->latency.worst};
    worker->prober = probe;
    if (worker->area->request.probe == PROBE_SYSTEM_CALLS)
        probe->traced = probe_await_tracer(worker->area);
    return 0;
}

int probe_pass(struct worker *worker, struct err *err)
{
    struct prober *probe = worker->prober;
    if (worker->area->request.probe == PROBE_SYSTEM_CALLS && !probe->traced)
        return 0;
    timer_init(&probe->timer);
    return probe_play(probe, err);
}
