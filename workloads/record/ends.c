/* The ways out of a recorded program that run no destructors: before each, what is known of its
 * live blocks is told; what it becomes is recorded on. */
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "workloads/record/carry.h"
#include "workloads/record/large.h"
#include "workloads/record/real.h"

/* A function that this C library does not have. */
static int ends_missing(void)
{
    errno = ENOSYS;
    return -1;
}

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

/* The environment that a program is to have, with the recorder in it; on the caller's stack. */
#define ENDS_CARRY(variables)                                                                      \
    size_t bytes = carry_bytes(variables);                                                         \
    char *const *with = bytes ? carry_fill(__builtin_alloca(bytes), variables) : variables

#define ENDS_EXEC(name, path, parameters, arguments)                                               \
    int name parameters                                                                            \
    {                                                                                              \
        ENDS_CARRY(variables);                                                                     \
        large_end_all();                                                                           \
        carry_becomes(path, argv, with);                                                           \
        int result = real_ready() && real.name ? real.name arguments : ends_missing();             \
        carry_stays();                                                                             \
        return result;                                                                             \
    }

ENDS_EXEC(execve, path, (const char *path, char *const argv[], char *const variables[]),
          (path, argv, with))
ENDS_EXEC(execvpe, file, (const char *file, char *const argv[], char *const variables[]),
          (file, argv, with))
ENDS_EXEC(fexecve, NULL, (int file, char *const argv[], char *const variables[]),
          (file, argv, with))
ENDS_EXEC(execveat, path,
          (int folder, const char *path, char *const argv[], char *const variables[], int flags),
          (folder, path, argv, with, flags))

int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

int execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

#define ENDS_SPAWN(name)                                                                           \
    int name(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,              \
             const posix_spawnattr_t *attributes, char *const argv[], char *const variables[])     \
    {                                                                                              \
        ENDS_CARRY(variables);                                                                     \
        pid_t own;                                                                                 \
        pid_t *child = pid ? pid : &own;                                                           \
        uint32_t images = carry_images();                                                          \
        int failed =                                                                               \
            real_ready() ? real.name(child, file, actions, attributes, argv, with) : ENOSYS;       \
        if (!failed)                                                                               \
            carry_spawned(*child, file, images, with);                                             \
        return failed;                                                                             \
    }

ENDS_SPAWN(posix_spawn)
ENDS_SPAWN(posix_spawnp)

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
