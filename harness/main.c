/* bench: one program, one word for what to do. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/nearest.h"
#include "harness/commands/commands.h"

static const struct command {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
} commands[] = {
#define COMMAND_ROW(name, help) {#name, help, command_##name},
    COMMANDS(COMMAND_ROW)};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void usage(FILE *out)
{
    fputs("Usage: bench COMMAND [OPTION...] [ARGUMENT...]\n\n"
          "Which memory allocator should a program use, and where does its memory go?\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    fputs("\n'bench COMMAND --help' tells more, with an example.\n", out);
}

static int unknown(const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        nearest_offer(&nearest, commands[i].name);
    fprintf(stderr, "bench: there is no command '%s'%s (bench --help lists all)\n", name,
            nearest_hint(&nearest).text);
    return STATUS_USAGE;
}

/* Where a standard stream is closed, the next file that is opened would be written to in its place.
 * What holds the place can neither be read nor written, and is closed to programs as the stream is.
 */
static void keep_streams(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0)
            open("/dev/null", O_CLOEXEC | (file == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

int main(int argc, char **argv)
{
    keep_streams();
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is told as a full disk is */
    signal(SIGCHLD, SIG_DFL); /* where the parent ignored it, no child could be waited for */
    if (argc < 2) {
        usage(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return command_written("bench", STATUS_DONE);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("heapbench " HEAPBENCH_VERSION);
        return command_written("bench", STATUS_DONE);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            char title[32];
            snprintf(title, sizeof title, "bench %s", commands[i].name);
            argv[1] = title;
            return command_written(title, commands[i].run(argc - 1, argv + 1));
        }
    return unknown(argv[1]);
}
