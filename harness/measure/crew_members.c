/* The crew's members: the threads or processes that run its lanes. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/measure/crew_shared.h"

/* ---- in a member ----------------------------------------------------------------------------- */

/* What the lane's own code needs of its stack is faulted in before anything is measured, and so is
 * what libraries keep of each thread, which lies above. */
static void crew_touch_stack(const struct crew *crew, char *end)
{
    size_t touched = crew->split.words ? CREW_STACK_PLAYING : CREW_STACK_TURNS;
    for (char *at = end - touched; at < end; at += 1024)
        *(volatile char *)at = 0;
}

static int crew_come(struct crew *crew, struct lane *lane)
{
    const struct crew_shared *shared = crew->shared;
    struct err err = {0};
    if (crew->processes && shared->attach(shared->name, &crew->heap, &err) < 0)
        return -err.code;
    if (crew->processes)
        lane->player.heap = crew->heap;
    if (crew->timed)
        absence_open(&lane->player.absence);
    return heap_thread_enter(lane->player.heap);
}

static void crew_go(struct crew *crew, struct lane *lane)
{
    if (!lane->player.heap || lane->failure)
        return;
    absence_close(&lane->player.absence);
    heap_thread_leave(lane->player.heap);
    if (crew->processes)
        heap_destroy(lane->player.heap);
}

/* Whether there is more to come. */
static bool crew_work(struct crew *crew, struct lane *lane)
{
    switch (crew->shared->work) {
    case CREW_ENTER:
        lane->failure = crew_come(crew, lane);
        break;
    case CREW_PLAY:
        crew_play_lane(crew, lane);
        break;
    case CREW_TURN:
        crew_take_turn(crew, lane);
        crew_call(crew_whose_turn(crew));
        return true;
    default:
        crew_go(crew, lane);
        crew_end(crew->shared);
        return false;
    }
    crew_end(crew->shared);
    return true;
}

static void crew_member(struct crew *crew, struct lane *lane)
{
    uint32_t calls = 0;
    lane->number = gettid();
    crew_end(crew->shared);
    do
        crew_await_call(lane, ++calls);
    while (crew_work(crew, lane));
}

/* ---- threads --------------------------------------------------------------------------------- */

static void *crew_thread(void *arg)
{
    struct lane *lane = arg;
    crew_member(lane->crew, lane);
    return NULL;
}

static int crew_start_thread(struct crew *crew, unsigned number)
{
    struct lane *lane = &crew->lanes[number];
    char *stack = crew->stacks + (size_t)number * CREW_STACK_BYTES;
    pthread_attr_t attributes;
    crew_touch_stack(crew, stack + CREW_STACK_BYTES);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, CREW_STACK_BYTES);
    int status = pthread_create(&lane->thread, &attributes, crew_thread, lane);
    pthread_attr_destroy(&attributes);
    return -status;
}

/* ---- processes ------------------------------------------------------------------------------- */

/* The heap shall lie elsewhere in each process, so that only refs can go from one to another: this
 * much address space, which fits into no gap, is taken by none, once, twice … */
#define CREW_APART ((size_t)1 << 30)

static void crew_process(struct crew *crew, unsigned number)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_DFL);
    if (mmap(NULL, number * CREW_APART, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
             0) == MAP_FAILED) {
        dprintf(STDERR_FILENO,
                "process %u of the replay wants %u GiB of address space, to have its heap where no "
                "other has it; 'ulimit -v' may limit it\n",
                number + 1, number);
        _exit(1);
    }
    crew_member(crew, &crew->lanes[number]);
    _exit(0);
}

static int crew_start_process(struct crew *crew, unsigned number)
{
    pid_t child = fork();
    if (child == 0)
        crew_process(crew, number);
    crew->lanes[number].process = child;
    return child < 0 ? -errno : 0;
}

/* Ends this process as another has ended. */
static void crew_die_of(int number)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, number);
    signal(number, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
    raise(number);
}

/* A lane that is gone would be waited for without end. */
static void crew_on_death(int number)
{
    int status, code = errno;
    (void)number;
    while (waitpid(-1, &status, WNOHANG) > 0) {
        if (WIFSIGNALED(status))
            crew_die_of(WTERMSIG(status));
        if (WIFSIGNALED(status) || WEXITSTATUS(status))
            _exit(1);
    }
    errno = code;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Lanes that cannot have a thread or process are folded onto those that have. */
static unsigned crew_start_members(struct crew *crew)
{
    unsigned number = 1;
    for (; number < crew->count; number++) {
        atomic_fetch_add_explicit(&crew->shared->running, 1, memory_order_relaxed);
        int status =
            crew->processes ? crew_start_process(crew, number) : crew_start_thread(crew, number);
        if (status < 0) {
            atomic_fetch_sub_explicit(&crew->shared->running, 1, memory_order_relaxed);
            break;
        }
    }
    return number;
}

void crew_start(struct crew *crew)
{
    const struct sigaction on_death = {.sa_handler = crew_on_death, .sa_flags = SA_NOCLDSTOP};
    for (unsigned i = 0; i < crew->count; i++)
        crew->lanes[i].crew = crew;
    crew->shared->count = crew->count;
    crew->lanes[0].number = gettid();
    if (crew->count == 1)
        return;
    if (crew->processes)
        sigaction(SIGCHLD, &on_death, NULL);
    crew->shared->count = crew->count = crew_start_members(crew);
    split_fold(&crew->split, crew->count);
    crew_await_all(crew->shared);
}

int crew_enter(struct crew *crew, const struct crew_heap *to, struct err *err)
{
    struct crew_shared *shared = crew->shared;
    crew->heap = to->heap;
    shared->touch = to->touch;
    shared->attach = to->heap->ops->attach;
    snprintf(shared->name, sizeof shared->name, "%s", to->name ? to->name : "");
    for (unsigned i = 0; i < crew->count; i++) {
        crew->lanes[i].player.heap = to->heap;
        crew->lanes[i].player.refs = to->refs;
        crew->lanes[i].player.handovers = crew->split.handovers;
    }
    crew_call_for(crew, CREW_ENTER);
    crew_await_all(shared);
    if (crew->timed)
        absence_open(&crew->lanes->player.absence);
    int failure = heap_thread_enter(to->heap);
    for (unsigned i = 1; i < crew->count; i++)
        failure = crew->lanes[i].failure ? crew->lanes[i].failure : failure;
    if (failure)
        return err_set(err, -failure, "a %s cannot enter the heap: %s%s",
                       crew->processes ? "process" : "thread", strerror(-failure),
                       failure == -ENOMEM ? "; 'ulimit -v' may limit its address space" : "");
    return 0;
}

void crew_stop(struct crew *crew)
{
    absence_close(&crew->lanes->player.absence);
    if (crew->heap)
        heap_thread_leave(crew->heap);
    crew_call_for(crew, CREW_LEAVE);
    crew_await_all(crew->shared);
    if (crew->processes)
        signal(SIGCHLD, SIG_DFL);
    for (unsigned i = 1; i < crew->count; i++)
        if (crew->processes)
            waitpid(crew->lanes[i].process, NULL, 0);
        else
            pthread_join(crew->lanes[i].thread, NULL);
}
