/* bench exec: run a real program on an allocator. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocators/spec.h"
#include "harness/base/clock.h"
#include "harness/base/units.h"
#include "harness/commands/commands.h"
#include "harness/siblings.h"

struct request {
    const char *allocator;
    char **command; /* NULL-ended, within argv */
};

static const struct argp_option options[] = {
    {"allocator", 'a', "SPEC", 0, "The allocator to run on (default: system)", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case 'a':
        request->allocator = text;
        return 0;
    case ARGP_KEY_ARG:
        request->command = &state->argv[state->next - 1];
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        if (!request->command)
            argp_failure(state, STATUS_USAGE, 0, "no command was given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "-- COMMAND [ARGUMENT...]",
    .doc = "Runs a program with its allocations served by an allocator; prints time, peak resident "
           "size "
           "and page faults to stderr."
           "\vThe program's output and exit status are passed through.\n\n"
           "Example:\n  bench exec -a best-fit -- python3 -c 'print(sum(range(10)))'",
};

/* What the program is started with. */
struct launch {
    struct spec spec;
    char library[PATH_MAX]; /* what must own malloc, "" for the C library's own */
    char behind[PATH_MAX];  /* what the layers in it must stand before, "" for the C library's */
    char preload[4 * PATH_MAX];
    int witness; /* a memory file that every process of the program writes to */
};

/* Layers over an external library, or over the C library's malloc: the preload stands before it. */
static int exec_find_library(struct launch *launch, struct err *err)
{
    const struct spec *spec = &launch->spec;
    bool layered = spec->layer_count > 0;
    char *library = layered ? launch->behind : launch->library;
    launch->library[0] = launch->behind[0] = '\0';
    if (spec->library && !spec_library_path(spec, library, PATH_MAX, err))
        return -ENOENT;
    if (spec->backend->scope == SCOPE_PROCESS && !layered)
        return 0;
    if (allocator_has(spec->backend, ALLOCATOR_NOT_REAL))
        return err_set(err, EINVAL, "%s gives no real memory, so no program can run on it",
                       spec->text);
    return sibling_path("libheapbench-preload.so", launch->library, sizeof launch->library, err);
}

static int exec_prepare(struct launch *launch, const char *allocator, struct err *err)
{
    char witness[PATH_MAX];
    int failed = spec_parse(&launch->spec, allocator, err);
    if (!failed)
        failed = exec_find_library(launch, err);
    if (!failed)
        failed = sibling_path("libheapbench-witness.so", witness, sizeof witness, err);
    if (failed)
        return failed;
    snprintf(launch->preload, sizeof launch->preload, "%s%s%s%s%s", witness,
             *launch->library ? ":" : "", launch->library, *launch->behind ? ":" : "",
             launch->behind);
    const char *paths[] = {launch->library, launch->behind, witness};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (strpbrk(paths[i], " :"))
            return err_set(err, EINVAL,
                           "%s: the loader splits preloads at blanks and colons; move heapbench "
                           "or the library to a folder without them",
                           paths[i]);
    launch->witness = memfd_create("heapbench-witness", MFD_CLOEXEC);
    return launch->witness < 0 ? err_set(err, errno, "memfd_create: %s", strerror(errno)) : 0;
}

static void exec_child(const struct launch *launch, char **command)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getppid(), launch->witness);
    setenv("LD_PRELOAD", launch->preload, 1);
    setenv("HEAPBENCH_WITNESS", path, 1);
    setenv("HEAPBENCH_ALLOCATOR", launch->spec.text, 1);
    if (*launch->behind)
        setenv("HEAPBENCH_BEHIND", launch->behind, 1);
    else
        unsetenv("HEAPBENCH_BEHIND");
    for (size_t i = 0; i < launch->spec.variable_count; i++)
        putenv(launch->spec.variables[i]);
    execvp(command[0], command);
    int why = errno;
    fprintf(stderr, "bench exec: %s cannot be started: %s\n", command[0], strerror(why));
    _exit(why == ENOENT ? 127 : 126);
}

/* NULL when the first process's malloc is owned by what was asked for, else the sentence. */
static const char *exec_flaw(const struct launch *launch, const char *program, char *text,
                             size_t length)
{
    char owner[PATH_MAX], path[PATH_MAX];
    ssize_t got = pread(launch->witness, owner, sizeof owner - 1, 0);
    owner[got > 0 ? got : 0] = '\0';
    owner[strcspn(owner, "\n")] = '\0';
    if (got <= 0) {
        snprintf(
            text, length,
            "%s ignored the preload, so it did not run on %s: it is linked statically, or it has "
            "set-user-id rights; use a dynamically linked program without them",
            program, launch->spec.text);
        return text;
    }
    if (!*launch->library || (realpath(owner, path) && strcmp(path, launch->library) == 0) ||
        strcmp(owner, launch->library) == 0)
        return NULL;
    snprintf(text, length, "malloc of %s came from %s, not from %s: the preload was ignored",
             program, owner, launch->library);
    return text;
}

static void exec_print(const struct launch *launch, uint64_t wall_ns, const struct rusage *usage)
{
    char wall[UNITS_TEXT], user[UNITS_TEXT], kernel[UNITS_TEXT], rss[UNITS_TEXT],
        faults[UNITS_TEXT];
    uint64_t user_ns =
        (uint64_t)usage->ru_utime.tv_sec * 1000000000u + (uint64_t)usage->ru_utime.tv_usec * 1000u;
    uint64_t kernel_ns =
        (uint64_t)usage->ru_stime.tv_sec * 1000000000u + (uint64_t)usage->ru_stime.tv_usec * 1000u;
    fprintf(stderr,
            "bench exec: %s: wall %s, user %s, system %s, peak resident %s, page faults %s\n",
            launch->spec.text, units_format_time(wall, (double)wall_ns),
            units_format_time(user, (double)user_ns), units_format_time(kernel, (double)kernel_ns),
            units_format_size(rss, (uint64_t)usage->ru_maxrss * 1024),
            units_format_count(faults, (uint64_t)(usage->ru_minflt + usage->ru_majflt)));
}

static int exec_run(const struct launch *launch, char **command)
{
    int status;
    struct rusage usage;
    char text[3 * PATH_MAX];
    uint64_t start = clock_ns();
    pid_t child = fork();
    if (child == 0)
        exec_child(launch, command);
    if (child < 0) {
        fprintf(stderr, "bench exec: fork: %s\n", strerror(errno));
        return STATUS_FAILED;
    }
    /* Ctrl-C is the program's to handle; what it did is still told. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
        continue;
    uint64_t wall_ns = clock_ns() - start;
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (code == 126 || code == 127)
        return code;
    exec_print(launch, wall_ns, &usage);
    const char *flaw = exec_flaw(launch, command[0], text, sizeof text);
    if (flaw)
        fprintf(stderr, "bench exec: %s\n", flaw);
    return flaw ? STATUS_FAILED : code;
}

int command_exec(int argc, char **argv)
{
    struct request request = {.allocator = "system"};
    static struct launch launch; /* large */
    struct err err = {0};
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &request);
    if (exec_prepare(&launch, request.allocator, &err)) {
        fprintf(stderr, "bench exec: %s\n", err.text);
        return STATUS_USAGE;
    }
    int status = exec_run(&launch, request.command);
    close(launch.witness);
    return status;
}
