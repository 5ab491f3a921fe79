/* Starts the worker program and waits for its end. */
#include "harness/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/start.h"

enum { ENVIRONMENT_MAX = 48, LIBRARY_VARIABLE = PATH_MAX + 16, PADDING_VARIABLE = 8192 };

/* Everything that the child needs is made before the fork: between fork and exec it only calls the
 * kernel. */
struct start {
    char worker[PATH_MAX];
    char fd[16];
    char preload[LIBRARY_VARIABLE];
    char padding[PADDING_VARIABLE];
    char *arguments[3];
    char *environment[ENVIRONMENT_MAX];
    int output; /* takes what the worker prints */
    const struct launch *launch;
};

/* The worker stands beside bench, or in the folder above (where the tests' programs are). */
static int launch_find_worker(char path[PATH_MAX], struct err *err)
{
    static const char *const places[] = {"", "../"};
    char self[PATH_MAX] = "";
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = length > 0 ? strrchr(self, '/') : NULL;
    if (slash)
        slash[1] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int written = snprintf(path, PATH_MAX, "%s%sbench-worker", self, places[i]);
        if (written < PATH_MAX && access(path, X_OK) == 0)
            return 0;
    }
    return err_set(
        err, ENOENT,
        "bench-worker is not beside the program in %.300s: build it (cmake --build build)", self);
}

/* Where the stack lies within a page follows from the bytes of the environment above it, and can
 * cost or save some per cent (Mytkowicz et al., "Producing wrong data without doing anything
 * obviously wrong!", 2009): they are filled up to whole pages, so that all cells have it alike. */
static void launch_pad(struct start *start, size_t count)
{
    enum { PAGE = 4096 };
    size_t used = (size_t)snprintf(start->padding, PADDING_VARIABLE, "HEAPBENCH_PADDING=") + 1;
    start->environment[count] = start->padding;
    for (size_t i = 0; i <= count; i++)
        used += sizeof *start->environment + (i < count ? strlen(start->environment[i]) + 1 : 0);
    size_t more = (PAGE - used % PAGE) % PAGE, at = strlen(start->padding);
    memset(start->padding + at, '-', more);
    start->padding[at + more] = '\0';
    start->environment[count + 1] = NULL;
}

/* A result must not depend on what the user happened to export: only what finds libraries and what
 * steers a sanitizer is passed on. */
static int launch_environment(struct start *start, const struct launch *launch, struct err *err)
{
    static const char *const kept[] = {
        "LD_LIBRARY_PATH=", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "TSAN_OPTIONS=", "LSAN_OPTIONS="};
    extern char **environ;
    size_t count = 0;
    for (char **variable = environ; *variable; variable++)
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
            if (strncmp(*variable, kept[i], strlen(kept[i])) == 0)
                start->environment[count++] = *variable;
    if (count + launch->variable_count + 3 > ENVIRONMENT_MAX)
        return err_set(err, E2BIG, "%zu variables are too many for a worker",
                       launch->variable_count);
    for (size_t i = 0; i < launch->variable_count; i++)
        start->environment[count++] = launch->variables[i];
    if (launch->library) {
        snprintf(start->preload, sizeof start->preload, "LD_PRELOAD=%s", launch->library);
        start->environment[count++] = start->preload;
    }
    launch_pad(start, count);
    return 0;
}

static void launch_limit(int resource, uint64_t limit)
{
    struct rlimit rlimit = {.rlim_cur = limit, .rlim_max = limit};
    setrlimit((__rlimit_resource_t)resource, &rlimit);
}

/* RLIMIT_DATA, since RLIMIT_AS would break allocators that reserve address space. */
static void launch_surround(const struct launch *launch)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    personality(ADDR_NO_RANDOMIZE);
    launch_limit(RLIMIT_CORE, 0);
    if (launch->memory_limit)
        launch_limit(RLIMIT_DATA, launch->memory_limit);
}

static int launch_become(void *arg)
{
    const struct start *start = arg;
    const struct launch *launch = start->launch;
    launch_surround(launch);
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    dup2(start->output, STDOUT_FILENO);
    dup2(start->output, STDERR_FILENO);
    fcntl(launch->area, F_SETFD, 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    execve(start->worker, start->arguments, start->environment);
    return errno;
}

/* A worker under way. */
struct running {
    pid_t child;
    int end;    /* a pidfd */
    int output; /* what it prints; not blocking */
};

static int launch_start(const struct launch *launch, struct running *running, struct err *err)
{
    struct start start;
    int output[2];
    int status = launch_find_worker(start.worker, err);
    if (status == 0)
        status = launch_environment(&start, launch, err);
    if (status < 0)
        return status;
    snprintf(start.fd, sizeof start.fd, "%d", launch->area);
    start.arguments[0] = start.worker;
    start.arguments[1] = start.fd;
    start.arguments[2] = NULL;
    if (pipe2(output, O_CLOEXEC) < 0)
        return err_set(err, errno, "no pipe to a worker: %s", strerror(errno));
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    start.output = output[1];
    running->output = output[0];
    start.launch = launch;
    int code = start_child(launch_become, &start, &running->child);
    close(output[1]);
    if (code) {
        close(output[0]);
        return err_set(err, code, "%.300s cannot be started: %s", start.worker, strerror(code));
    }
    running->end = pidfd_open(running->child, 0);
    return 0;
}

/* Keeps the beginning and drops the rest, so that an allocator may complain without end. */
static void launch_listen(struct running *running, struct ending *ending)
{
    char text[4096];
    ssize_t got = read(running->output, text, sizeof text);
    size_t used = strlen(ending->output), room = sizeof ending->output - 1 - used;
    if (got > 0)
        memcpy(ending->output + used, text, (size_t)got < room ? (size_t)got : room);
    else if (got == 0 || errno != EAGAIN)
        running->output = (close(running->output), -1);
}

static bool launch_stops(const struct launch *launch, uint64_t spent_ns, struct ending *ending)
{
    ending->interrupted = launch->interrupted && *launch->interrupted;
    ending->timed_out =
        !ending->interrupted && launch->timeout_ns && spent_ns >= launch->timeout_ns;
    return ending->interrupted || ending->timed_out;
}

/* The kernel says so only when every thread of it has stopped. */
static bool launch_has_stopped(pid_t child)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid == child;
}

static int launch_attend(const struct launch *launch, pid_t child, struct err *err)
{
    if (!launch->attend || !launch_has_stopped(child))
        return 0;
    int status = launch->attend(launch->arg, child, err);
    kill(child, SIGCONT);
    return status;
}

/* Looks up now and then even if nothing happens: a signal may come just before poll() waits, and
 * nothing tells of a worker that has stopped. */
static int launch_wait(const struct launch *launch, struct running *running, uint64_t start_ns,
                       struct ending *ending, struct err *err)
{
    const uint64_t look_ms = launch->attend ? 2 : 50;
    for (;;) {
        uint64_t spent_ns = clock_ns() - start_ns, left_ms = look_ms;
        int status = launch_attend(launch, running->child, err);
        if (status < 0 || launch_stops(launch, spent_ns, ending))
            return status;
        if (launch->timeout_ns && (launch->timeout_ns - spent_ns) / 1000000 < look_ms)
            left_ms = (launch->timeout_ns - spent_ns) / 1000000 + 1;
        if (launch->follow) {
            launch->follow(launch->follow_arg, running->child);
            left_ms = 1;
        }
        struct pollfd events[] = {{.fd = running->end, .events = POLLIN},
                                  {.fd = running->output, .events = POLLIN}};
        int ready = poll(events, 2, (int)left_ms);
        if (ready > 0 && events[1].revents)
            launch_listen(running, ending);
        else if (ready > 0 && events[0].revents)
            return 0;
    }
}

/* A worker that is traced ends after each of its threads has been waited for. */
static void launch_reap(pid_t child, int *status)
{
    pid_t ended;
    do
        ended = waitpid(-child, status, __WALL);
    while (ended > 0 ? ended != child || WIFSTOPPED(*status) : errno == EINTR);
}

/* The group goes with the worker: an allocator may have started something and left it behind. It is
 * killed before the worker is reaped, while its number cannot be another's. */
static void launch_end(struct running *running, struct ending *ending)
{
    kill(-running->child, SIGKILL);
    launch_reap(running->child, &ending->status);
    if (running->output >= 0)
        close(running->output);
    if (running->end >= 0)
        close(running->end);
}

int launch_run(const struct launch *launch, struct ending *ending, struct err *err)
{
    struct running running;
    uint64_t start_ns = clock_ns();
    *ending = (struct ending){0};
    int status = launch_start(launch, &running, err);
    if (status < 0)
        return status;
    if (running.end < 0)
        status = err_set(err, errno,
                         "a worker cannot be watched (pidfd_open: %s): Linux 5.3 or "
                         "later is needed",
                         strerror(errno));
    else
        status = launch_wait(launch, &running, start_ns, ending, err);
    launch_end(&running, ending);
    ending->wall_ns = clock_ns() - start_ns;
    return status;
}
