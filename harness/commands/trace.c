/* bench trace: what is in a trace, and other traces from it. */
#include <stdio.h>
#include <string.h>

#include "harness/base/nearest.h"
#include "harness/commands/commands.h"
#include "harness/commands/trace.h"

static const struct trace_command {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
} trace_commands[] = {
#define TRACE_COMMAND_ROW(name, help) {#name, help, trace_command_##name},
    TRACE_COMMANDS(TRACE_COMMAND_ROW)};

enum { TRACE_COMMAND_COUNT = sizeof trace_commands / sizeof *trace_commands };

static void trace_usage(FILE *out)
{
    fputs("Usage: bench trace COMMAND [OPTION...] FILE...\n\n", out);
    for (size_t i = 0; i < TRACE_COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", trace_commands[i].name, trace_commands[i].help);
    fputs(
        "\nExample:\n  bench trace info build.trace\n\n'bench trace COMMAND --help' tells more.\n",
        out);
}

int trace_refused(const char *name, const struct err *err)
{
    fprintf(stderr, "bench trace %s: %s\n", name, err->text);
    return STATUS_USAGE;
}

static int trace_unknown(const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < TRACE_COMMAND_COUNT; i++)
        nearest_offer(&nearest, trace_commands[i].name);
    fprintf(stderr, "bench trace: there is no command '%s'%s (bench trace --help lists all)\n",
            name, nearest_hint(&nearest).text);
    return STATUS_USAGE;
}

int command_trace(int argc, char **argv)
{
    if (argc < 2) {
        trace_usage(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        trace_usage(stdout);
        return STATUS_DONE;
    }
    for (size_t i = 0; i < TRACE_COMMAND_COUNT; i++)
        if (strcmp(argv[1], trace_commands[i].name) == 0) {
            char title[40];
            snprintf(title, sizeof title, "bench trace %s", trace_commands[i].name);
            argv[1] = title;
            return trace_commands[i].run(argc - 1, argv + 1);
        }
    return trace_unknown(argv[1]);
}
