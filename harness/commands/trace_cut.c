/* bench trace cut: a stretch of a trace, or some of its threads. */
#include <argp.h>
#include <stdio.h>

#include "harness/base/units.h"
#include "harness/commands/commands.h"
#include "harness/commands/trace.h"
#include "workloads/edit.h"

enum { CUT_THREADS = 256 };

struct cut_arguments {
    struct trace_files files;
    struct edit_cut cut;
    uint32_t threads[CUT_THREADS];
};

static const struct argp_option cut_options[] = {
    {"from", 'f', "N", 0, "from operation N on (the first is 0)", 0},
    {"to", 't', "N", 0, "up to and without operation N", 0},
    {"after", 'a', "TIME", 0, "from TIME after the start on (200ms, 2s)", 0},
    {"before", 'b', "TIME", 0, "up to and without TIME after the start", 0},
    {"thread", 'T', "N", 0, "objects that thread N allocates; may be given several times", 0},
    {0}};

static void cut_thread(struct cut_arguments *arguments, const char *value, struct argp_state *state)
{
    uint64_t thread;
    struct err err;
    if (units_parse_count(value, &thread, &err))
        argp_error(state, "--thread: %s", err.text);
    else if (thread >= UINT32_MAX)
        argp_error(state, "no trace has a thread %s", value);
    else if (arguments->cut.thread_count == CUT_THREADS)
        argp_error(state, "thread %s: at most %d threads can be named", value, CUT_THREADS);
    else
        arguments->threads[arguments->cut.thread_count++] = (uint32_t)thread;
}

static error_t cut_parse(int key, char *value, struct argp_state *state)
{
    struct cut_arguments *arguments = state->input;
    struct err err;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->files;
        return 0;
    case 'f':
        if (units_parse_count(value, &arguments->cut.first, &err))
            argp_error(state, "--from: %s", err.text);
        return 0;
    case 't':
        if (units_parse_count(value, &arguments->cut.end, &err))
            argp_error(state, "--to: %s", err.text);
        return 0;
    case 'a':
        if (units_parse_time(value, &arguments->cut.after_ns, &err))
            argp_error(state, "--after: %s", err.text);
        return 0;
    case 'b':
        if (units_parse_time(value, &arguments->cut.before_ns, &err))
            argp_error(state, "--before: %s", err.text);
        return 0;
    case 'T':
        cut_thread(arguments, value, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp cut_argp = {
    .options = cut_options,
    .parser = cut_parse,
    .children = trace_files_child,
    .args_doc = "TRACE -o FILE",
    .doc =
        "A stretch of a trace as a trace of its own. What lives at its beginning is allocated "
        "first.\vExample:\n  bench trace cut --from 100000 --to 200000 build.trace -o part.trace",
};

int trace_command_cut(int argc, char **argv)
{
    struct cut_arguments arguments = {.cut = {.end = UINT64_MAX, .before_ns = UINT64_MAX}};
    struct err err = {0};
    command_parse(&cut_argp, argc, argv, 0, &arguments);
    arguments.cut.threads = arguments.threads;
    int failed = edit_cut(arguments.files.from, arguments.files.to, &arguments.cut, &err);
    if (failed)
        fprintf(stderr, "bench trace cut: %s\n", err.text);
    return failed ? STATUS_USAGE : STATUS_DONE;
}
