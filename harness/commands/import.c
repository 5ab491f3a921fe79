/* bench import: recordings of other tools. */
#include <argp.h>
#include <stdio.h>

#include "harness/commands/commands.h"
#include "workloads/import/import.h"

struct import_arguments {
    const char *from, *to, *format;
};

static const struct argp_option import_options[] = {
    {"output", 'o', "FILE", 0, "write the trace to FILE (- for standard output)", 0},
    {"format", 'f', "NAME", 0, "the source's format, where it is not recognised", 0},
    {0}};

static error_t import_parse(int key, char *value, struct argp_state *state)
{
    struct import_arguments *arguments = state->input;
    switch (key) {
    case 'o':
        arguments->to = value;
        return 0;
    case 'f':
        arguments->format = value;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->from)
            argp_error(state, "one recording at a time: what is '%s'?", value);
        arguments->from = value;
        return 0;
    case ARGP_KEY_END:
        if (!arguments->from)
            argp_error(state, "name the recording to import (- for standard input)");
        if (!arguments->to)
            argp_error(state, "name the trace to write with -o FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp import_argp = {
    .options = import_options,
    .parser = import_parse,
    .args_doc = "RECORDING -o FILE",
    .doc = "Bring the recording of another tool in as a trace.\n\n"
           "It may be packed (zip, gzip, zstd, xz, bzip2); its format is recognised where it can "
           "be.\v"
           "Example:\n  bench import short1-bal.rep -o short1.trace\n\n"
           "What the source cannot hold, and what had to be repaired, is in the trace: see bench "
           "trace info."};

static void import_warn(const char *from, const struct import_report *report)
{
    if (report->bad_line)
        fprintf(stderr,
                "bench import: %s: line %llu could not be understood and is left out: '%s' (bench "
                "trace info tells how many)\n",
                from, (unsigned long long)report->bad_line, report->bad_text);
    if (report->cut_tail[0])
        fprintf(stderr, "bench import: %s: %s; what came before is in the trace\n", from,
                report->cut_tail);
    if (report->remark[0])
        fprintf(stderr, "bench import: %s: %s; all is in the trace\n", from, report->remark);
}

int command_import(int argc, char **argv)
{
    struct import_arguments arguments = {0};
    struct import_report report;
    struct err err;
    command_parse(&import_argp, argc, argv, 0, &arguments);
    if (import_file(arguments.from, arguments.format, arguments.to, &report, &err)) {
        fprintf(stderr, "bench import: %s\n", err.text);
        return STATUS_USAGE;
    }
    import_warn(arguments.from, &report);
    return STATUS_DONE;
}
