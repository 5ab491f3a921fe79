/* bench trace merge: several traces as one. */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "harness/commands/commands.h"
#include "harness/commands/trace.h"
#include "workloads/edit.h"

struct merge_arguments {
    const char *const *from;
    size_t count;
    const char *to;
};

static const struct argp_option merge_options[] = {
    {"output", 'o', "FILE", 0, "write the trace to FILE (- for standard output)", 0}, {0}};

static bool merge_repeats_input(const struct merge_arguments *arguments)
{
    unsigned count = 0;
    for (size_t i = 0; i < arguments->count; i++)
        count += strcmp(arguments->from[i], "-") == 0;
    return count > 1;
}

static error_t merge_parse(int key, char *value, struct argp_state *state)
{
    struct merge_arguments *arguments = state->input;
    switch (key) {
    case 'o':
        arguments->to = value;
        return 0;
    case ARGP_KEY_ARGS:
        arguments->from = (const char *const *)(state->argv + state->next);
        arguments->count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (arguments->count < 2)
            argp_error(state, "name the traces to merge, two or more");
        if (merge_repeats_input(arguments))
            argp_error(state, "standard input is one trace: name - once");
        if (!arguments->to)
            argp_error(state, "name the trace to write with -o FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp merge_argp = {
    .options = merge_options,
    .parser = merge_parse,
    .args_doc = "TRACE... -o FILE",
    .doc = "Several traces as one program: by their times where all have them, else each at an "
           "even pace.\vExample:\n  bench trace merge web.trace db.trace -o both.trace",
};

int trace_command_merge(int argc, char **argv)
{
    struct merge_arguments arguments = {0};
    struct err err = {0};
    command_parse(&merge_argp, argc, argv, 0, &arguments);
    int failed = edit_merge(arguments.from, arguments.count, arguments.to, &err);
    if (failed)
        fprintf(stderr, "bench trace merge: %s\n", err.text);
    return failed ? STATUS_USAGE : STATUS_DONE;
}
