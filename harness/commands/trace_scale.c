/* bench trace scale: copies of a trace side by side. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "harness/base/units.h"
#include "harness/commands/commands.h"
#include "harness/commands/trace.h"
#include "workloads/edit.h"

struct scale_arguments {
    struct trace_files files;
    uint64_t copies;
};

static const struct argp_option scale_options[] = {
    {"copies", 'n', "N", 0, "so many in all, 2 to 10000 (default 2)", 0}, {0}};

static error_t scale_parse(int key, char *value, struct argp_state *state)
{
    struct scale_arguments *arguments = state->input;
    struct err err;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->files;
        return 0;
    case 'n':
        if (units_parse_count(value, &arguments->copies, &err))
            argp_error(state, "--copies: %s", err.text);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp scale_argp = {
    .options = scale_options,
    .parser = scale_parse,
    .children = trace_files_child,
    .args_doc = "TRACE -o FILE",
    .doc = "Copies of a trace running in step, each with threads and objects of its own: more "
           "load.\vExample:\n  bench trace scale --copies 8 build.trace -o build8.trace",
};

int trace_command_scale(int argc, char **argv)
{
    struct scale_arguments arguments = {.copies = 2};
    struct err err = {0};
    command_parse(&scale_argp, argc, argv, 0, &arguments);
    int failed = arguments.copies < 2 || arguments.copies > 10000
                     ? err_set(&err, EINVAL, "--copies takes 2 to 10000")
                     : edit_scale(arguments.files.from, arguments.files.to,
                                  (uint32_t)arguments.copies, &err);
    if (failed)
        fprintf(stderr, "bench trace scale: %s\n", err.text);
    return failed ? STATUS_USAGE : STATUS_DONE;
}
