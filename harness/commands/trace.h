/* The subcommands of bench trace, one file each. */
#ifndef HARNESS_COMMANDS_TRACE_H
#define HARNESS_COMMANDS_TRACE_H

#include <argp.h>

#include "harness/base/err.h"

/* TRACE_COMMAND(name, one line): `int trace_command_<name>(int argc, char **argv)` in
 * trace_<name>.c; argv[0] is "bench trace <name>". Returns the exit status. */
#define TRACE_COMMANDS(TRACE_COMMAND)                                                              \
    TRACE_COMMAND(info, "what a trace holds, where it comes from and what it lacks")               \
    TRACE_COMMAND(dump, "its operations as text, one a line")                                      \
    TRACE_COMMAND(cut, "a stretch of it, or some of its threads")                                  \
    TRACE_COMMAND(scale, "copies of it side by side, for load")                                    \
    TRACE_COMMAND(merge, "several traces as one")                                                  \
    TRACE_COMMAND(anonymize, "without a word of where it was made")

#define TRACE_COMMAND_PROTOTYPE(name, help) int trace_command_##name(int argc, char **argv);
TRACE_COMMANDS(TRACE_COMMAND_PROTOTYPE)

/* The one trace that a command reads and the one that it writes; borrowed from the arguments. The
 * command's parser makes them the input of this child, which sees to -o and to what is missing. */
struct trace_files {
    const char *from, *to;
};

extern const struct argp_child trace_files_child[];

/* Prints the sentence of bench trace `name`, and returns the exit status that goes with it. */
int trace_refused(const char *name, const struct err *err);

#endif
