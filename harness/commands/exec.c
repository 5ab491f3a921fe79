/* bench exec: run a real program on an allocator. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/base/clock.h"
#include "harness/base/units.h"
#include "harness/commands/commands.h"
#include "harness/program.h"

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
    default:
        return command_parse_program(key, state, &request->command);
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

static void exec_print(const struct program *program, uint64_t wall_ns, const struct rusage *usage)
{
    char wall[UNITS_TEXT], user[UNITS_TEXT], kernel[UNITS_TEXT], rss[UNITS_TEXT],
        faults[UNITS_TEXT];
    uint64_t user_ns = clock_timeval_ns(&usage->ru_utime);
    uint64_t kernel_ns = clock_timeval_ns(&usage->ru_stime);
    fprintf(stderr,
            "bench exec: %s: wall %s, user %s, system %s, peak resident %s, page faults %s\n",
            program->spec.text, units_format_time(wall, (double)wall_ns),
            units_format_time(user, (double)user_ns), units_format_time(kernel, (double)kernel_ns),
            units_format_size(rss, (uint64_t)usage->ru_maxrss * 1024),
            units_format_count(faults, (uint64_t)(usage->ru_minflt + usage->ru_majflt)));
}

static int exec_run(const struct program *program, char **command, struct err *err)
{
    struct program_end end;
    char text[3 * PATH_MAX];
    struct program_run run = {.command = command};
    if (program_run(program, &run, &end, err))
        return STATUS_FAILED;
    if (end.start_errno) {
        err_set(err, end.start_errno, "%s cannot be started: %s", command[0],
                strerror(end.start_errno));
        return end.start_errno == ENOENT ? 127 : 126;
    }
    exec_print(program, end.wall_ns, &end.usage);
    const char *flaw = program_flaw(program, command[0], text, sizeof text);
    if (flaw)
        return err_set(err, EINVAL, "%s", flaw), STATUS_FAILED;
    return WIFSIGNALED(end.status) ? 128 + WTERMSIG(end.status) : WEXITSTATUS(end.status);
}

/* What else is preloaded may hold an allocator, or half of one (operator new): it is left out. */
static void exec_tell_left_out(void)
{
    const char *others = getenv("LD_PRELOAD");
    if (others && *others && !strstr(others, "/libheapbench-"))
        fprintf(stderr,
                "bench exec: LD_PRELOAD=%s is not passed on: preloads are the allocator's\n",
                others);
}

int command_exec(int argc, char **argv)
{
    struct request request = {.allocator = "system"};
    static struct program program; /* large */
    struct err err = {0};
    command_parse(&argp, argc, argv, ARGP_IN_ORDER, &request);
    exec_tell_left_out();
    int status = program_prepare(&program, request.allocator, &err)
                     ? STATUS_USAGE
                     : exec_run(&program, request.command, &err);
    if (err.code)
        fprintf(stderr, "bench exec: %s\n", err.text);
    program_release(&program);
    return status;
}
