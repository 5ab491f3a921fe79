/* The subcommands of bench, one file each. To add one: a file and a line here. */
#ifndef HARNESS_COMMANDS_H
#define HARNESS_COMMANDS_H

#include <argp.h>

/* COMMAND(name, one line): `int command_<name>(int argc, char **argv)` in <name>.c; argv[0] is
 * "bench <name>". Returns the exit status: 0 all done, 1 something measured failed or a gate was
 * not met, 2 wrong usage or unreadable input. */
#define COMMANDS(COMMAND)                                                                          \
    COMMAND(list, "allocators with their capabilities and options, workloads, figures")            \
    COMMAND(run, "measure and compare allocators on traces: the main job")                         \
    COMMAND(import, "bring the recording of another tool in as a trace")                           \
    COMMAND(trace, "what is in a trace, and other traces from it")                                 \
    COMMAND(report, "stored runs as text, HTML, Markdown, CSV or JSON")                            \
    COMMAND(plot, "the figures of a stored run, as svg, png, pdf or text")                         \
    COMMAND(compare, "two runs, or two allocators of one; as a gate too")                          \
    COMMAND(explain, "where the footprint of an allocator went, and who holds its pages")          \
    COMMAND(record, "record a real program's allocations as a trace")                              \
    COMMAND(generate, "make the trace of a pattern")                                               \
    COMMAND(preflight, "what on this machine makes figures doubtful, and what to do")              \
    COMMAND(exec, "run a real program on an allocator")                                            \
    COMMAND(fidelity, "does the replay foretell a real program on these allocators?")

#define COMMAND_PROTOTYPE(name, help) int command_##name(int argc, char **argv);
COMMANDS(COMMAND_PROTOTYPE)

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

/* argp_parse() of a command's line: what is wrong with it is told on stderr and ends the process
 * with STATUS_USAGE, a long option that there is not with the nearest one. So does asking for help,
 * with STATUS_DONE where it could be written. */
void command_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input);

/* `status`, or STATUS_FAILED and a sentence where a command that is done wrote to stdout what did
 * not arrive; one that failed has said why. */
int command_written(const char *command, int status);

/* For the parsers of commands that run a program, whose own options end where its name stands
 * (ARGP_IN_ORDER): takes the keys of what is no option. `*program` becomes its arguments, within
 * argv and NULL-ended; that there is none ends the process. */
error_t command_parse_program(int key, struct argp_state *state, char ***program);

#endif
