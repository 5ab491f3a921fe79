/* bench trace anonymize: a trace that says nothing of where it was made. */
#include <argp.h>
#include <stdio.h>

#include "harness/base/units.h"
#include "harness/commands/commands.h"
#include "harness/commands/trace.h"
#include "workloads/edit.h"

#define ANONYMIZE_STEP_MOST (UINT64_C(1) << 40)

struct anonymize_arguments {
    struct trace_files files;
    struct edit_anonymize how;
};

static const struct argp_option anonymize_options[] = {
    {"round-sizes", 's', "SIZE", 0, "round sizes up to multiples of SIZE", 0},
    {"round-times", 't', "TIME", 0, "round times down to multiples of TIME", 0},
    {0}};

static error_t anonymize_parse(int key, char *value, struct argp_state *state)
{
    struct anonymize_arguments *arguments = state->input;
    struct err err;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->files;
        return 0;
    case 's':
        if (units_parse_size(value, &arguments->how.size_step, &err))
            argp_error(state, "--round-sizes: %s", err.text);
        else if (!arguments->how.size_step)
            argp_error(state, "sizes have no multiples of 0: round them to 1 or more");
        else if (arguments->how.size_step > ANONYMIZE_STEP_MOST)
            argp_error(state, "%s is larger than any block: round sizes to less", value);
        return 0;
    case 't':
        if (units_parse_time(value, &arguments->how.time_step, &err))
            argp_error(state, "--round-times: %s", err.text);
        else if (!arguments->how.time_step)
            argp_error(state, "times have no multiples of 0: round them to 1ns or more");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp anonymize_argp = {
    .options = anonymize_options,
    .parser = anonymize_parse,
    .children = trace_files_child,
    .args_doc = "TRACE -o FILE",
    .doc =
        "A trace without program, arguments, host, date, and names of call sites and "
        "phases.\vExample:\n  bench trace anonymize --round-sizes 16 build.trace -o public.trace",
};

int trace_command_anonymize(int argc, char **argv)
{
    struct anonymize_arguments arguments = {0};
    struct err err = {0};
    command_parse(&anonymize_argp, argc, argv, 0, &arguments);
    int failed = edit_anonymize(arguments.files.from, arguments.files.to, &arguments.how, &err);
    if (failed)
        fprintf(stderr, "bench trace anonymize: %s\n", err.text);
    return failed ? STATUS_USAGE : STATUS_DONE;
}
