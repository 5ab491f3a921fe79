/* Counts system calls by ptrace: the worker runs at full speed but for the calls it marks. */
#include "harness/tracer.h"

#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "harness/base/clock.h"

static void tracer_seize(struct tracer *tracer, pid_t worker)
{
    long options =
        PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK;
    bool seized = ptrace(PTRACE_SEIZE, worker, NULL, options) == 0;
    tracer->state = seized ? TRACER_OUTSIDE : TRACER_OFF;
    tracer->area->tracing = seized ? TRACING_ON : TRACING_REFUSED;
}

static struct worst_call *tracer_call(struct tracer *tracer)
{
    struct worst *worst = &tracer->area->latency.worst;
    return &worst->calls[tracer->next < worst->count ? tracer->next : 0];
}

/* The signal that the worker sends itself marks where a call begins and, its system call seen,
 * where it has ended. */
static void tracer_mark(struct tracer *tracer, pid_t thread)
{
    if (tracer->state == TRACER_OUTSIDE) {
        tracer_call(tracer)->system_calls = 0;
        tracer->state = TRACER_INSIDE;
        tracer->thread = thread;
    } else {
        tracer->state = TRACER_OUTSIDE;
    }
}

static void tracer_system_call(struct tracer *tracer, pid_t thread)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0 ||
        info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return;
    if (info.entry.nr == SYS_tgkill && info.entry.args[2] == PROBE_SIGNAL) {
        tracer->state = TRACER_LEAVING;
        tracer->next++;
    } else {
        worst_note_system_call(tracer_call(tracer), (uint32_t)info.entry.nr);
    }
}

/* Other threads of the worker, an allocator's perhaps, run on meanwhile. */
static bool tracer_is_inside(const struct tracer *tracer, pid_t thread)
{
    return tracer->state == TRACER_INSIDE && tracer->thread == thread;
}

static void tracer_step(struct tracer *tracer, pid_t thread, int status)
{
    enum { SYSTEM_CALL = SIGTRAP | 0x80 };
    int signal = status & 0xff, event = status >> 8;
    if (signal == SYSTEM_CALL)
        tracer_system_call(tracer, thread);
    else if (signal == PROBE_SIGNAL)
        tracer_mark(tracer, thread);
    bool ours = signal == SYSTEM_CALL || signal == PROBE_SIGNAL || event;
    ptrace(tracer_is_inside(tracer, thread) ? PTRACE_SYSCALL : PTRACE_CONT, thread, NULL,
           (long)(ours ? 0 : signal));
}

/* A thread of the worker that has stopped; 0 none; -1 when the worker has ended, which is left for
 * others to see. Its other threads end only when they have been waited for. */
static pid_t tracer_look(pid_t worker, int *status)
{
    siginfo_t info = {0};
    int failed =
        waitid(P_PGID, (id_t)worker, &info, WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL);
    bool stopped = info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED;
    if (failed || (info.si_pid == worker && !stopped))
        return -1;
    if (info.si_pid)
        waitid(P_PID, (id_t)info.si_pid, &info, WSTOPPED | WEXITED | __WALL);
    *status = info.si_status;
    return stopped ? info.si_pid : 0;
}

void tracer_follow(void *arg, pid_t worker)
{
    enum { FOLLOW_NS = 20000000 };
    static const struct timespec nap = {.tv_nsec = 50000};
    struct tracer *tracer = arg;
    uint64_t start_ns = clock_ns();
    int status = 0;
    pid_t seen = 0;
    if (tracer->state == TRACER_NEW)
        tracer_seize(tracer, worker);
    while (tracer->state != TRACER_OFF && seen >= 0 && clock_ns() - start_ns < FOLLOW_NS) {
        seen = tracer_look(worker, &status);
        if (seen > 0)
            tracer_step(tracer, seen, status);
        else if (seen == 0)
            nanosleep(&nap, NULL);
    }
}
