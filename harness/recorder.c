/* Three threads: the main one waits for the program, one keeps the spool ahead of it, and one
 * turns records into traces: as a batch, so that it does not interrupt the program, and gets its
 * share where processors are scarce. What is left when the program has ended is done by two
 * threads. */
#include "harness/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/handover.h"
#include "harness/silence.h"
#include "harness/spare.h"
#include "harness/start.h"

enum {
    RECORDER_KEEP_MS = 100,
    RECORDER_FULL_MS = 4,
    RECORDER_MANY = 4, /* cores: then there are some beside the program */
};

struct recorder {
    const struct recorder_plan *plan;
    struct recorder_outcome *outcome;
    struct spool spool;
    struct recording *recording;
    pid_t child;
    void (*pipe_action)(int); /* the program's own */
    sigset_t signals;         /* those it has blocked */
    pthread_t keeper, drain;
    _Atomic uint32_t begun; /* futex: the program was started, or will not be */
    _Atomic bool child_over;
    _Atomic uint32_t all_over; /* futex */
    int drain_failed;
    struct err drain_err;
};

static bool recorder_is_over(pid_t pid, void *arg)
{
    struct recorder *recorder = arg;
    if (pid == recorder->child || atomic_load(&recorder->all_over))
        return atomic_load(&recorder->child_over);
    return kill(pid, 0) && errno == ESRCH;
}

/* --- the threads beside --- */

static void recorder_wait_while(_Atomic uint32_t *word, uint32_t value, long most_ms)
{
    struct timespec wait = {.tv_nsec = most_ms * 1000000L};
    syscall(SYS_futex, word, FUTEX_WAIT, value, &wait, NULL, 0);
}

static void recorder_wake(_Atomic uint32_t *word)
{
    atomic_fetch_add(word, 1);
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void recorder_await_start(struct recorder *recorder)
{
    while (!atomic_load(&recorder->begun))
        recorder_wait_while(&recorder->begun, 0, RECORDER_KEEP_MS);
}

static void *recorder_keep(void *arg)
{
    struct recorder *recorder = arg;
    struct spool_control *control = recorder->spool.control;
    recorder_await_start(recorder);
    while (!atomic_load(&recorder->all_over)) {
        uint32_t demand = atomic_load(&control->demand);
        spool_extend(&recorder->spool);
        if (atomic_load(&recorder->spool.full))
            recorder_wait_while(&recorder->all_over, 0, RECORDER_FULL_MS);
        else
            recorder_wait_while(&control->demand, demand,
                                atomic_load(&control->confined) ? RECORDER_FULL_MS
                                                                : RECORDER_KEEP_MS);
    }
    return NULL;
}

/* While threads wait for chunks and get some there is no pause. Who was killed waiting may count as
 * waiting for ever. */
static void recorder_pause(struct recorder *recorder, uint32_t returned)
{
    struct spool_control *control = recorder->spool.control;
    bool moved = atomic_load(&control->returned) != returned;
    if (recording_is_behind(recorder->recording) || (moved && atomic_load(&control->waiting)))
        return;
    recorder_wait_while(&recorder->all_over, 0, SPOOL_IDLE_MS);
    atomic_fetch_add(&control->idle, 1);
}

static int recorder_cores(void)
{
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) ? 1 : CPU_COUNT(&cores);
}

static void *recorder_drain(void *arg)
{
    struct recorder *recorder = arg;
    struct spool_control *control = recorder->spool.control;
    struct sched_param param = {0};
    recorder_await_start(recorder);
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &param);
    if (recorder_cores() >= RECORDER_MANY)
        recording_split(recorder->recording);
    while (!atomic_load(&recorder->all_over) && !recorder->drain_failed) {
        uint32_t returned = atomic_load(&control->returned);
        recorder->drain_failed =
            recording_step(recorder->recording, recorder_is_over, recorder, &recorder->drain_err);
        recorder_pause(recorder, returned);
    }
    atomic_store(&control->closed, 1);
    return NULL;
}

static void recorder_end_threads(struct recorder *recorder)
{
    recorder_wake(&recorder->all_over);
    recorder_wake(&recorder->spool.control->demand);
    recorder_wake(&recorder->begun);
    pthread_join(recorder->keeper, NULL);
    pthread_join(recorder->drain, NULL);
}

/* Before the program, which does not run where they cannot. */
static int recorder_begin_threads(struct recorder *recorder, struct err *err)
{
    int failed = pthread_create(&recorder->keeper, NULL, recorder_keep, recorder);
    if (!failed && (failed = pthread_create(&recorder->drain, NULL, recorder_drain, recorder))) {
        recorder_wake(&recorder->all_over);
        recorder_wake(&recorder->begun);
        pthread_join(recorder->keeper, NULL);
    }
    return failed ? err_set(err, failed,
                            "no thread can be started to record with: %s; allow more processes "
                            "(ulimit -u) or memory (ulimit -v)",
                            strerror(failed))
                  : 0;
}

/* --- the program --- */

static void recorder_preload(const char *library)
{
    const char *others = getenv("LD_PRELOAD");
    char *all = NULL;
    if (others && *others && asprintf(&all, "%s:%s", library, others) > 0)
        library = all;
    setenv("LD_PRELOAD", library, 1);
}

static int recorder_become(void *arg)
{
    struct recorder *recorder = arg;
    recorder->spool.control->root_pid = getpid();
    recorder_preload(recorder->plan->library);
    setenv(SPOOL_ENVIRONMENT, recorder->spool.path, 1);
    signal(SIGPIPE, recorder->pipe_action);
    sigprocmask(SIG_SETMASK, &recorder->signals, NULL);
    if (recorder->plan->silent)
        silence(-1);
    execvp(recorder->plan->command[0], recorder->plan->command);
    return errno;
}

/* What the program could not be started for, 0 when it was. */
static int recorder_start(struct recorder *recorder)
{
    int why = start_child(recorder_become, recorder, &recorder->child);
    recorder->spool.control->root_pid = recorder->child;
    return why;
}

/* Takes in everything that has ended. True once nothing more can come. */
static bool recorder_reap(struct recorder *recorder, uint64_t start_ns)
{
    int status;
    pid_t pid;
    struct rusage usage;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        uint64_t cpu_ns = clock_timeval_ns(&usage.ru_utime) + clock_timeval_ns(&usage.ru_stime);
        recorder->outcome->cpu_ns += cpu_ns;
        if (pid == recorder->child) {
            recorder->outcome->cost.wall_ns = clock_ns() - start_ns;
            recorder->outcome->cost.cpu_ns = cpu_ns;
            recorder->outcome->cost.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
            recorder->outcome->status = status;
            atomic_store(&recorder->child_over, true);
        }
    }
    return recorder->plan->follow ? pid < 0 && errno == ECHILD : atomic_load(&recorder->child_over);
}

/* What a terminal sends goes to the program too; what was sent to bench alone is passed on. */
static void recorder_wait(struct recorder *recorder, const sigset_t *signals, uint64_t start_ns)
{
    while (!recorder_reap(recorder, start_ns)) {
        siginfo_t info;
        int signal = sigwaitinfo(signals, &info);
        if (signal > 0 && signal != SIGCHLD && info.si_code <= 0)
            kill(recorder->child, signal);
    }
}

/* --- all of it --- */

static void recorder_set_up(struct recorder *recorder)
{
    struct spool_control *control = recorder->spool.control;
    control->follow = recorder->plan->follow;
    control->stamp_always = recorder->plan->times;
    control->depth = recorder->plan->depth;
    recorder->spool.spare = spare_memory;
    control->order = recorder->plan->order;
    if (recorder->plan->follow)
        prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void recorder_count_unheard(struct recorder *recorder)
{
    struct recorder_outcome *outcome = recorder->outcome;
    for (size_t i = 0; i < SPOOL_AWAITED; i++) {
        const struct spool_awaited *awaited = &recorder->spool.control->awaited[i];
        if (atomic_load(&awaited->pid) && !outcome->unheard++)
            snprintf(outcome->unheard_name, sizeof outcome->unheard_name, "%.*s",
                     (int)sizeof awaited->program, awaited->program);
    }
}

static void recorder_account(struct recorder *recorder, uint64_t start_ns)
{
    struct spool_control *control = recorder->spool.control;
    recorder->outcome->wait_ns = atomic_load(&control->wait_ns);
    recorder_count_unheard(recorder);
    recorder->outcome->confined = atomic_load(&control->confined);
    recorder->outcome->left_alone = atomic_load(&control->left_alone);
    recorder->outcome->late_ns = clock_ns() - start_ns - recorder->outcome->cost.wall_ns;
    recorder->outcome->loaded = atomic_load(&control->images) > 0;
    recorder->outcome->drain_ns = clock_process_ns();
}

/* Nobody writes any more, nor needs the processors. What the first step finds for the first time, a
 * process that lived but a moment, the second one knows to be over. */
static int recorder_take_the_rest(struct recorder *recorder, struct err *err)
{
    recording_split(recorder->recording);
    int failed = recording_step(recorder->recording, recorder_is_over, recorder, err);
    return failed ? failed : recording_step(recorder->recording, recorder_is_over, recorder, err);
}

static int recorder_follow(struct recorder *recorder, const sigset_t *signals, uint64_t start_ns,
                           struct err *err)
{
    recording_set_root(recorder->recording, recorder->child);
    recorder_wake(&recorder->begun);
    recorder_wait(recorder, signals, start_ns);
    recorder_end_threads(recorder);
    if (recorder->drain_failed) {
        *err = recorder->drain_err;
        return recorder->drain_failed;
    }
    int failed = recorder_take_the_rest(recorder, err);
    struct spool_control *control = recorder->spool.control;
    struct recording_cost *cost = &recorder->outcome->cost;
    cost->slow_ns = atomic_load(&control->refill_ns) + atomic_load(&control->walk_ns);
    cost->drain_ns = clock_process_ns();
    cost->late_ns = clock_ns() - start_ns - cost->wall_ns;
    return failed ? failed : recording_finish(recorder->recording, &recorder->outcome->cost, err);
}

static int recorder_create(struct recorder *recorder, struct err *err)
{
    int failed = spool_create(&recorder->spool, err);
    if (!failed)
        failed = recording_create(&recorder->recording, &recorder->spool,
                                  &recorder->plan->recording, err);
    if (failed)
        spool_destroy(&recorder->spool);
    return failed;
}

/* Before the trace's file is there: what ends others is for the recorder to wait for. */
static void recorder_hold_signals(struct recorder *recorder, sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGCHLD);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGQUIT);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGHUP);
    sigprocmask(SIG_BLOCK, signals, &recorder->signals);
}

/* From the program's start to the whole trace, or to none. */
static int recorder_record(struct recorder *recorder, const sigset_t *signals,
                           struct recording **recording, struct err *err)
{
    struct recorder_outcome *outcome = recorder->outcome;
    struct handover handover;
    recorder_set_up(recorder);
    recorder->pipe_action = signal(SIGPIPE, SIG_IGN); /* a failed write is told as every other */
    handover_begin(&handover, &recorder->spool);
    int failed = recorder_begin_threads(recorder, err);
    uint64_t start_ns = clock_ns();
    if (!failed && (outcome->start_errno = recorder_start(recorder)))
        recorder_end_threads(recorder);
    else if (!failed)
        failed = recorder_follow(recorder, signals, start_ns, err);
    handover_end(&handover);
    signal(SIGPIPE, recorder->pipe_action);
    recorder_account(recorder, start_ns);
    if (failed || outcome->start_errno)
        recording_destroy(recorder->recording);
    else
        *recording = recorder->recording;
    outcome->run_on = spool_destroy(&recorder->spool);
    return failed;
}

int recorder_run(const struct recorder_plan *plan, struct recorder_outcome *outcome,
                 struct recording **recording, struct err *err)
{
    struct recorder recorder = {.plan = plan, .outcome = outcome};
    sigset_t signals;
    *outcome = (struct recorder_outcome){0};
    recorder_hold_signals(&recorder, &signals);
    int failed = recorder_create(&recorder, err);
    if (!failed)
        failed = recorder_record(&recorder, &signals, recording, err);
    sigprocmask(SIG_SETMASK, &recorder.signals, NULL);
    return failed;
}
