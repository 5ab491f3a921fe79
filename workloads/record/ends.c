/* The ways out of a recorded program that run no destructors: before each, what is known of its
 * live blocks is told. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

/* The C library's functions of argument lists reach execve past its name. On the stack, as the
 * caller may be a child of vfork or a signal handler. */
static size_t ends_count(va_list *list)
{
    size_t count = 1;
    while (va_arg(*list, char *))
        count++;
    return count;
}

static void ends_fill(char **all, size_t count, const char *first, va_list *list)
{
    all[0] = (char *)(uintptr_t)first;
    for (size_t i = 1; i <= count; i++)
        all[i] = va_arg(*list, char *);
}

#define ENDS_EXEC_LIST(name, call, variables)                                                      \
    int name(const char *path, const char *first, ...)                                             \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, first);                                                                     \
        size_t count = ends_count(&list);                                                          \
        va_end(list);                                                                              \
        char **all = __builtin_alloca((count + 1) * sizeof *all);                                  \
        va_start(list, first);                                                                     \
        ends_fill(all, count, first, &list);                                                       \
        char *const *with = variables;                                                             \
        va_end(list);                                                                              \
        return call;                                                                               \
    }

ENDS_EXEC_LIST(execl, execve(path, all, with), environ)
ENDS_EXEC_LIST(execle, execve(path, all, with), va_arg(list, char *const *))
ENDS_EXEC_LIST(execlp, execvpe(path, all, with), environ)
