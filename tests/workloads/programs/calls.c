/* calls MODE: known numbers of calls, and the many ways in which a program can end or multiply. */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static void *volatile sink; /* keeps the compiler from dropping a pair of calls */
static void *volatile nothing;

static void pairs(int count, size_t size)
{
    for (int i = 0; i < count; i++) {
        void *volatile mine = malloc(size);
        free(mine);
    }
}

/* One call of each kind in turn, a hundred times, and failures of each. */
static void every_kind(void)
{
    void *aligned = NULL;
    for (size_t i = 0; i < 100; i++) {
        sink = malloc(10 + i);
        sink = realloc(sink, 5000 + i);
        sink = reallocarray(sink, 10, 20 + i);
        free(sink);
        sink = calloc(3, 7 + i);
        free(sink);
        sink = aligned_alloc(64, 640);
        free(sink);
        sink = memalign(256, 100);
        free(sink);
        sink = valloc(100);
        free(sink);
        sink = pvalloc(100);
        free(sink);
        if (posix_memalign(&aligned, 4096, 100))
            abort();
        free(aligned);
        free(nothing);
    }
    sink = malloc(SIZE_MAX / 2);
    sink = calloc(SIZE_MAX / 2, 4);
    sink = malloc(10);
    if (realloc(sink, SIZE_MAX / 2))
        abort();
    free(sink);
    errno = 0;
    if (!posix_memalign(&aligned, 24, 100) || errno)
        abort();
}

static void *work(void *arg)
{
    pairs(1000, 100);
    return arg;
}

static void threads(void)
{
    pthread_t thread[4];
    for (int round = 0; round < 25; round++) {
        for (int i = 0; i < 4; i++)
            pthread_create(&thread[i], NULL, work, NULL);
        for (int i = 0; i < 4; i++)
            pthread_join(thread[i], NULL);
    }
}

static void child(void)
{
    pairs(500, 40);
    void *volatile inherited = malloc(77);
    pid_t pid = fork();
    if (pid == 0) {
        free(inherited);
        pairs(2000, 50);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    pairs(500, 40);
    free(inherited);
}

static void *churn(void *arg)
{
    for (;;)
        pairs(1, 64);
    return arg;
}

/* Forks while another thread is inside the allocator and the recorder. */
static void fork_threads(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, churn, NULL);
    for (int i = 0; i < 50; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            pairs(10, 30);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
    _exit(0);
}

/* Children of a moment, some of which outlive their parent. */
static void brood(void)
{
    for (int i = 0; i < 40; i++)
        if (fork() == 0) {
            usleep(500 * i);
            pairs(50, 30);
            _exit(0);
        }
}

static void *lives_shortly(void *arg)
{
    pairs(10, 30);
    return arg;
}

/* Many at once, again and again. */
static void crowd(void)
{
    pthread_t threads[100];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 100; i++)
            if (pthread_create(&threads[i], NULL, lives_shortly, NULL))
                abort();
        for (int i = 0; i < 100; i++)
            pthread_join(threads[i], NULL);
    }
}

static void *gift_take(void *block)
{
    free(block);
    return NULL;
}

/* Its first thread is the first company that the program has, and every block comes back. */
static void gifts(void)
{
    pthread_t thread;
    for (int i = 0; i < 100; i++)
        if (pthread_create(&thread, NULL, gift_take, malloc(16)) || pthread_join(thread, NULL))
            exit(1);
}

static void *rush_work(void *arg)
{
    pairs(8000, 100);
    return arg;
}

/* More at once than a little room is there for. */
static void rush(void)
{
    enum { THREADS = 300, STACK = 64 << 10 };
    pthread_t threads[THREADS];
    pthread_attr_t small;
    mallopt(M_ARENA_MAX, 1);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], &small, rush_work, NULL))
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
    (void)signal;
    handled++;
}

/* A handler that allocates must not be one that interrupts the allocator: so the recorder alone is
 * interrupted here, by frees of NULL. */
static void allocating_handler(int signal)
{
    (void)signal;
    handled++;
    free(nothing);
}

static void signals(void (*act)(int))
{
    struct itimerspec every = {{0, 50000}, {0, 50000}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;
    signal(SIGUSR1, act);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &every, NULL))
        abort();
    for (int i = 0; i < 2000000; i++)
        free(nothing);
    timer_delete(timer);
    signal(SIGUSR1, SIG_IGN);
    printf("%d\n", (int)handled);
}
#if defined(__x86_64__)
enum { STEP_TRAP = 1 << 8 }; /* the processor's trap flag */

static int step_records; /* that a handler makes */
static volatile sig_atomic_t steps, step_chosen, step_cut, in_child;

static void step_stop(void *context)
{
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~STEP_TRAP;
}

/* Where signals are about to be blocked, as for a new chunk, the steps end: a trap would be the
 * program's end there. */
static bool step_is_cut(void *context)
{
    const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *next = (const unsigned char *)registers[REG_RIP];
    if (next[0] != 0x0f || next[1] != 0x05 || registers[REG_RAX] != SYS_rt_sigprocmask)
        return false;
    step_stop(context);
    step_cut = true;
    return true;
}

static const void *step_library(const void *code)
{
    Dl_info info;
    return dladdr(code, &info) ? info.dli_fbase : NULL;
}

/* The allocator behind the recorder must not be interrupted by what handlers do here. */
static bool step_is_recorders(void *context)
{
    const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    return step_library((const void *)registers[REG_RIP]) == step_library((const void *)malloc);
}

/* Behind one chosen instruction of the recorder's: records, perhaps so many that the call finds
 * another chunk than the one it took its room in. The rest is not stepped. */
static void stepped_handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    if (step_is_cut(context) || !step_is_recorders(context) || ++steps != step_chosen)
        return;
    handled++;
    step_stop(context);
    for (int i = 0; i < step_records; i++)
        free(nothing);
}

/* Behind each instruction of the recorder's: a child, which goes on with the call. */
static void forking_handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    if (step_is_cut(context) || !step_is_recorders(context))
        return;
    pid_t child = fork();
    if (child > 0) {
        waitpid(child, NULL, 0);
    } else {
        step_stop(context);
        in_child = true;
    }
}

__attribute__((noinline)) static void step_by_step(void)
{
    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq" : : "i"(STEP_TRAP) : "cc", "memory");
}

__attribute__((noinline)) static void step_no_more(void)
{
    __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" : : "i"(~STEP_TRAP) : "cc", "memory");
}

static void step_malloc(void)
{
    sink = malloc(48);
}

static void step_realloc(void)
{
    sink = realloc(sink, 48);
}

static void step_free(void)
{
    free(sink);
    sink = NULL;
}

/* Steps through the call, again where the steps were cut; returns how many calls that were. */
static int step_through(void (*call)(void))
{
    int calls = 0;
    do {
        steps = step_cut = 0;
        step_by_step();
        call();
        step_no_more();
        if (in_child)
            _exit(0);
        calls++;
    } while (step_cut);
    return calls;
}

/* Interrupts the call behind each of the recorder's instructions in turn. */
static int stepped_call(void (*call)(void))
{
    int calls = 0;
    step_chosen = 0;
    do {
        step_chosen++;
        calls += step_through(call);
    } while (steps >= step_chosen);
    return calls;
}

static void *waits(void *arg)
{
    pause();
    return arg;
}

/* Alone, then beside another thread. */
static void stepped(void (*handler)(int, siginfo_t *, void *), int (*step)(void (*call)(void)))
{
    pthread_t thread;
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &act, NULL);
    step_records = getenv("STEP_RECORDS") ? atoi(getenv("STEP_RECORDS")) : 1;
    free(nothing); /* opens the recording, which steps cannot */
    int frees = 1, reallocs = 0;
    for (int company = 0; company < 2; company++) {
        if (company && pthread_create(&thread, NULL, waits, NULL))
            abort();
        step(step_malloc);
        reallocs += step(step_realloc);
        frees += step(step_free);
    }
    printf("%d %d\n", reallocs, frees + (int)handled * step_records);
}
#else
enum { stepped_handler, forking_handler, stepped_call, step_through };

static void stepped(int handler, int step)
{
    (void)handler;
    (void)step;
    free(nothing);
    puts("0 1");
}
#endif

static void kept_errno(void)
{
    for (int i = 0; i < 100000; i++) {
        errno = 42;
        sink = malloc(2000);
        free(sink);
        if (errno != 42)
            abort();
    }
    errno = 0;
    sink = malloc(SIZE_MAX / 2);
    if (sink || errno != ENOMEM)
        abort();
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "kinds") == 0)
        every_kind();
    else if (strcmp(mode, "threads") == 0)
        threads();
    else if (strcmp(mode, "fork") == 0)
        child();
    else if (strcmp(mode, "brood") == 0)
        brood();
    else if (strcmp(mode, "crowd") == 0)
        crowd();
    else if (strcmp(mode, "gifts") == 0)
        gifts();
    else if (strcmp(mode, "rush") == 0)
        rush();
    else if (strcmp(mode, "fork-threads") == 0)
        fork_threads();
    else if (strcmp(mode, "signals") == 0)
        signals(handler);
    else if (strcmp(mode, "signals-allocating") == 0)
        signals(allocating_handler);
    else if (strcmp(mode, "signals-stepped") == 0)
        stepped(stepped_handler, stepped_call);
    else if (strcmp(mode, "forks-stepped") == 0)
        stepped(forking_handler, step_through);
    else if (strcmp(mode, "errno") == 0)
        kept_errno();
    else
        pairs(3000, 48);
    if (strcmp(mode, "exec") == 0)
        execl(argv[0], argv[0], "again", (char *)NULL);
    if (strcmp(mode, "quick_exit") == 0)
        quick_exit(3);
    if (strcmp(mode, "_exit") == 0)
        _exit(4);
    if (strcmp(mode, "kill") == 0)
        kill(getpid(), SIGKILL);
    return 0;
}
