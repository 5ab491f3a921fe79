/* A real program with its allocations served by an allocator. */
#include "harness/program.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/siblings.h"
#include "harness/silence.h"
#include "harness/start.h"

/* --- what it is started with --- */

/* A program may be linked with an allocator of its own (redis-server with jemalloc): the C library
 * is put before that. */
static int program_find_c_library(char path[PATH_MAX], struct err *err)
{
    Dl_info found;
    void *function = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
    if (!function || !dladdr(function, &found) || !realpath(found.dli_fname, path))
        return err_set(err, ENOENT, "the C library is not found, so no program can be put on it");
    return 0;
}

/* Layers over an external library, or over the C library's malloc: the preload stands before it. */
static int program_find_library(struct program *program, struct err *err)
{
    const struct spec *spec = &program->spec;
    bool layered = spec->layer_count > 0;
    char *library = layered ? program->behind : program->library;
    program->library[0] = program->behind[0] = '\0';
    if (spec->library && !spec_library_path(spec, library, PATH_MAX, err))
        return -ENOENT;
    if (spec->backend->scope == SCOPE_PROCESS && !layered)
        return spec->library ? 0 : program_find_c_library(program->library, err);
    if (allocator_has(spec->backend, ALLOCATOR_NOT_REAL))
        return err_set(err, EINVAL, "%s gives no real memory, so no program can run on it",
                       spec->text);
    return sibling_path("libheapbench-preload.so", program->library, sizeof program->library, err);
}

/* What the heap itself refuses is told here, and not by the program that would have no memory. */
static int program_try_heap(const struct spec *spec, struct err *err)
{
    struct region region;
    struct heap *heap;
    if (spec->backend->scope == SCOPE_PROCESS)
        return 0;
    int failed = spec_create(spec, &region, NULL, &heap, err);
    if (failed)
        return failed;
    heap_destroy(heap);
    region_release(&region);
    return 0;
}

int program_prepare(struct program *program, const char *allocator, struct err *err)
{
    char witness[PATH_MAX];
    program->witness = -1;
    int failed = spec_parse(&program->spec, allocator, err);
    if (!failed)
        failed = program_find_library(program, err);
    if (!failed)
        failed = program_try_heap(&program->spec, err);
    if (!failed)
        failed = sibling_path("libheapbench-witness.so", witness, sizeof witness, err);
    if (failed)
        return failed;
    /* An allocator's own operator new stands before the witness's, unless layers stand before it.
     */
    snprintf(program->preload, sizeof program->preload, "%s:%s%s%s", program->library, witness,
             *program->behind ? ":" : "", program->behind);
    program->witness = memfd_create("heapbench-witness", MFD_CLOEXEC);
    return program->witness < 0 ? err_set(err, errno, "memfd_create: %s", strerror(errno)) : 0;
}

void program_release(struct program *program)
{
    if (program->witness >= 0)
        close(program->witness);
    program->witness = -1;
}

/* --- its run --- */

struct becoming {
    const struct program *program;
    const struct program_run *run;
    int errors;       /* takes the standard error of a silent program */
    sigset_t blocked; /* signals, in the program */
};

static void program_set_preload(const struct program *program, const struct watch *watch)
{
    char all[sizeof program->preload + PATH_MAX];
    snprintf(all, sizeof all, "%s%s%s", watch ? watch->library : "", watch ? ":" : "",
             program->preload);
    setenv("LD_PRELOAD", all, 1);
}

static int program_become(void *arg)
{
    const struct becoming *becoming = arg;
    const struct program *program = becoming->program;
    const struct program_run *run = becoming->run;
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getppid(), program->witness);
    program_set_preload(program, run->watch);
    setenv("HEAPBENCH_WITNESS", path, 1);
    setenv("HEAPBENCH_ALLOCATOR", program->spec.text, 1);
    if (*program->behind)
        setenv("HEAPBENCH_BEHIND", program->behind, 1);
    else
        unsetenv("HEAPBENCH_BEHIND");
    for (size_t i = 0; i < program->spec.variable_count; i++)
        putenv(program->spec.variables[i]);
    if (run->silent) {
        setpgid(0, 0);
        silence(becoming->errors);
    }
    sigprocmask(SIG_SETMASK, &becoming->blocked, NULL);
    if (run->watch)
        watch_enter(run->watch);
    execvp(run->command[0], run->command);
    return errno;
}

static bool program_stops(const struct program_run *run, uint64_t spent_ns, struct program_end *end)
{
    end->interrupted = run->interrupted && *run->interrupted;
    end->timed_out = !end->interrupted && run->timeout_ns && spent_ns >= run->timeout_ns;
    return end->interrupted || end->timed_out;
}

/* Blocks what would end us while a program runs that is no silent one: the descriptor from which it
 * is read instead, -1 if there is none. *before are the signals blocked until then. */
static int program_hold_signals(const struct program_run *run, sigset_t *before)
{
    sigset_t held;
    sigemptyset(&held);
    if (!run->silent) {
        sigaddset(&held, SIGINT);
        sigaddset(&held, SIGQUIT);
        sigaddset(&held, SIGTERM);
        sigaddset(&held, SIGHUP);
    }
    sigprocmask(SIG_BLOCK, &held, before);
    return run->silent ? -1 : signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* What a terminal sends goes to the program by itself; what a process sent us is meant for it. */
static void program_pass_signal(int signals, pid_t child)
{
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) == sizeof info && info.ssi_code <= 0)
        kill(child, (int)info.ssi_signo);
}

/* Until it is over, or may go on no longer. */
static void program_follow(const struct program_run *run, pid_t child, int over, int signals,
                           uint64_t start_ns, struct program_end *end)
{
    enum { LOOK_MS = 50 };
    while (!program_stops(run, clock_ns() - start_ns, end)) {
        int listener = run->watch ? watch_poll_fd(run->watch) : -1;
        bool stoppable = run->interrupted || run->timeout_ns;
        int wait_ms = run->watch && listener < 0 ? WATCH_TICK_MS : stoppable ? LOOK_MS : -1;
        struct pollfd events[] = {{.fd = over, .events = POLLIN},
                                  {.fd = listener, .events = POLLIN},
                                  {.fd = signals, .events = POLLIN}};
        int ready = poll(events, 3, wait_ms);
        if (run->watch && (ready == 0 ? listener < 0 : events[1].revents & POLLIN))
            watch_serve(run->watch);
        else if (ready > 0 && events[2].revents & POLLIN)
            program_pass_signal(signals, child);
        else if (ready > 0 && events[0].revents)
            break;
    }
}

static void program_keep_complaint(int errors, struct program_end *end)
{
    off_t length = lseek(errors, 0, SEEK_END);
    off_t most = (off_t)sizeof end->complaint - 1;
    ssize_t got = pread(errors, end->complaint, (size_t)most, length > most ? length - most : 0);
    end->complaint[got > 0 ? got : 0] = '\0';
}

/* A silent program's group goes with it, before it is reaped: its number cannot be another's yet.
 */
static void program_reap(const struct program_run *run, pid_t child, struct program_end *end)
{
    bool stopped = end->interrupted || end->timed_out;
    if (run->silent)
        kill(-child, SIGKILL);
    else if (stopped)
        kill(child, SIGKILL);
    while (wait4(child, &end->status, 0, &end->usage) < 0 && errno == EINTR)
        continue;
}

static int program_run_on(const struct program *program, const struct program_run *run, int errors,
                          struct program_end *end, struct err *err)
{
    struct becoming becoming = {.program = program, .run = run, .errors = errors};
    pid_t child;
    int signals = program_hold_signals(run, &becoming.blocked);
    uint64_t start_ns = clock_ns();
    end->start_errno = start_child(program_become, &becoming, &child);
    if (end->start_errno) {
        close(signals);
        return 0;
    }
    int over = pidfd_open(child, 0), code = errno;
    if (run->watch)
        watch_begin(run->watch, child);
    if (over >= 0)
        program_follow(run, child, over, signals, start_ns, end);
    program_reap(run, child, end);
    close(signals);
    end->wall_ns = clock_ns() - start_ns;
    if (run->watch)
        watch_end(run->watch);
    if (over < 0 && (run->silent || run->watch))
        return err_set(err, code,
                       "%s cannot be watched (pidfd_open: %s): Linux 5.3 or later is needed",
                       run->command[0], strerror(code));
    if (over >= 0)
        close(over);
    return 0;
}

int program_run(const struct program *program, const struct program_run *run,
                struct program_end *end, struct err *err)
{
    *end = (struct program_end){0};
    int errors = run->silent ? memfd_create("heapbench-errors", MFD_CLOEXEC) : -1;
    if (run->silent && errors < 0)
        return err_set(err, errno, "memfd_create: %s", strerror(errno));
    int failed = program_run_on(program, run, errors, end, err);
    if (errors >= 0) {
        program_keep_complaint(errors, end);
        close(errors);
    }
    return failed;
}

/* --- the proof --- */

const char *program_flaw(const struct program *program, const char *name, char *text, size_t length)
{
    char owner[PATH_MAX], path[PATH_MAX];
    ssize_t got = pread(program->witness, owner, sizeof owner - 1, 0);
    owner[got > 0 ? got : 0] = '\0';
    owner[strcspn(owner, "\n")] = '\0';
    if (got <= 0) {
        snprintf(
            text, length,
            "%s ignored the preload, so it did not run on %s: it is linked statically, or it has "
            "set-user-id rights; use a dynamically linked program without them",
            name, program->spec.text);
        return text;
    }
    if ((realpath(owner, path) && strcmp(path, program->library) == 0) ||
        strcmp(owner, program->library) == 0)
        return NULL;
    bool is_library =
        strstr(owner, ".so") != NULL; /* as the C library is, where there is none else */
    snprintf(text, length, "malloc of %s came from %s, not from %s: the preload was ignored: %s",
             name, owner, program->library,
             is_library ? "it defines no malloc"
                        : "the program brings a malloc of its own, which comes before any other");
    return text;
}
