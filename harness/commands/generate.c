/* bench generate: traces of patterns. */
#include <argp.h>
#include <stdio.h>

#include "harness/commands/commands.h"
#include "workloads/generate/generate.h"

struct generate_arguments {
    const char *workload, *to;
};

static const struct argp_option generate_rows[] = {
    {"output", 'o', "FILE", 0, "write the trace to FILE (- for standard output)", 0}, {0}};

static error_t generate_parse(int key, char *value, struct argp_state *state)
{
    struct generate_arguments *arguments = state->input;
    switch (key) {
    case 'o':
        arguments->to = value;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->workload)
            argp_error(state, "one workload at a time: what is '%s'?", value);
        arguments->workload = value;
        return 0;
    case ARGP_KEY_END:
        if (!arguments->workload)
            argp_error(state, "name the workload to generate (bench list names all)");
        if (!arguments->to)
            argp_error(state, "name the trace to write with -o FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp generate_argp = {
    .options = generate_rows,
    .parser = generate_parse,
    .args_doc = "WORKLOAD[:option=value,...] -o FILE",
    .doc = "Make the trace of a pattern. The same options and seed give the same events on any "
           "machine.\vExample:\n  bench generate larson:threads=8,seed=2 -o larson.trace\n\n"
           "'bench list' names the workloads with their options.",
};

int command_generate(int argc, char **argv)
{
    struct generate_arguments arguments = {0};
    struct err err;
    command_parse(&generate_argp, argc, argv, 0, &arguments);
    if (generate(arguments.workload, arguments.to, &err)) {
        fprintf(stderr, "bench generate: %s\n", err.text);
        return STATUS_USAGE;
    }
    return STATUS_DONE;
}
