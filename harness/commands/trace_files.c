/* The files of a command that makes one trace of another. */
#include <argp.h>

#include "harness/commands/trace.h"

static const struct argp_option files_options[] = {
    {"output", 'o', "FILE", 0, "write the trace to FILE (- for standard output)", 0}, {0}};

static error_t files_parse(int key, char *value, struct argp_state *state)
{
    struct trace_files *files = state->input;
    switch (key) {
    case 'o':
        files->to = value;
        return 0;
    case ARGP_KEY_ARG:
        if (files->from)
            argp_error(state, "one trace at a time: what is '%s'?", value);
        files->from = value;
        return 0;
    case ARGP_KEY_END:
        if (!files->from)
            argp_error(state, "name a trace (- for standard input)");
        if (!files->to)
            argp_error(state, "name the trace to write with -o FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp files_argp = {.options = files_options, .parser = files_parse};

const struct argp_child trace_files_child[] = {{.argp = &files_argp}, {0}};
