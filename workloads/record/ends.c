/* The ways out of a recorded program that run no destructors: before each, what is known of its
 * live blocks is told. */
#include <stdlib.h>
#include <unistd.h>

#include "workloads/record/large.h"
#include "workloads/record/real.h"

#pragma GCC visibility push(default)

void _exit(int status)
{
    large_end_all();
    if (real_ready())
        real._exit(status);
    __builtin_trap();
}

void _Exit(int status)
{
    _exit(status);
}

void quick_exit(int status)
{
    large_end_all();
    if (real_ready())
        real.quick_exit(status);
    _exit(status);
}

#define ENDS_EXEC(name, parameters, arguments)                                                     \
    int name parameters                                                                            \
    {                                                                                              \
        large_end_all();                                                                           \
        return real_ready() ? real.name arguments : -1;                                            \
    }

ENDS_EXEC(execve, (const char *path, char *const argv[], char *const variables[]),
          (path, argv, variables))
ENDS_EXEC(execv, (const char *path, char *const argv[]), (path, argv))
ENDS_EXEC(execvp, (const char *file, char *const argv[]), (file, argv))
ENDS_EXEC(execvpe, (const char *file, char *const argv[], char *const variables[]),
          (file, argv, variables))
ENDS_EXEC(fexecve, (int file, char *const argv[], char *const variables[]), (file, argv, variables))
