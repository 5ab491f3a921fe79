/* The functions behind the recorder's: the next ones in the loader's search order, be
 * they the C library's or those of an allocator that the program links. */
#ifndef WORKLOADS_RECORD_REAL_H
#define WORKLOADS_RECORD_REAL_H

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REAL_FUNCTIONS(FUNCTION)                                                                   \
    FUNCTION(void *, malloc, (size_t))                                                             \
    FUNCTION(void *, calloc, (size_t, size_t))                                                     \
    FUNCTION(void *, realloc, (void *, size_t))                                                    \
    FUNCTION(void, free, (void *))                                                                 \
    FUNCTION(int, posix_memalign, (void **, size_t, size_t))                                       \
    FUNCTION(void *, aligned_alloc, (size_t, size_t))                                              \
    FUNCTION(void *, memalign, (size_t, size_t))                                                   \
    FUNCTION(void *, valloc, (size_t))                                                             \
    FUNCTION(void *, pvalloc, (size_t))                                                            \
    FUNCTION(size_t, malloc_usable_size, (void *))                                                 \
    FUNCTION(long, syscall, (long, long, long, long, long, long, long))                            \
    FUNCTION(int, prctl, (int, unsigned long, unsigned long, unsigned long, unsigned long))        \
    FUNCTION(int, dlclose, (void *))                                                               \
    FUNCTION(void, _exit, (int))                                                                   \
    FUNCTION(void, quick_exit, (int))                                                              \
    FUNCTION(int, execve, (const char *, char *const[], char *const[]))                            \
    FUNCTION(int, execvpe, (const char *, char *const[], char *const[]))                           \
    FUNCTION(int, fexecve, (int, char *const[], char *const[]))                                    \
    FUNCTION(int, execveat, (int, const char *, char *const[], char *const[], int))                \
    FUNCTION(int, posix_spawn,                                                                     \
             (pid_t *, const char *, const posix_spawn_file_actions_t *,                           \
              const posix_spawnattr_t *, char *const[], char *const[]))                            \
    FUNCTION(int, posix_spawnp,                                                                    \
             (pid_t *, const char *, const posix_spawn_file_actions_t *,                           \
              const posix_spawnattr_t *, char *const[], char *const[]))

#define REAL_MEMBER(result, name, arguments) result(*name) arguments;
struct real {
    REAL_FUNCTIONS(REAL_MEMBER)
};

extern struct real real; /* valid once real_ready() was true */

/* Looks the functions up on the first call. False only while that lookup itself allocates: serve
 * the call from the bootstrap arena then. */
bool real_find(void);

static inline bool real_ready(void)
{
    return __builtin_expect(real.free != NULL, 1) || real_find();
}

/* Whether the program's calls of malloc go elsewhere: to one of its own, or of a library that is
 * loaded before the recorder. */
bool real_is_hidden(void);

/* Memory for calls from within the lookup: zeroed, aligned to `align` (a power of two), never given
 * back, never recorded; NULL when used up. */
void *real_bootstrap(size_t size, size_t align);

extern char real_arena[];
enum { REAL_ARENA_BYTES = 64 << 10 };

static inline bool real_is_bootstrap(const void *pointer)
{
    return (uintptr_t)pointer - (uintptr_t)real_arena < REAL_ARENA_BYTES;
}

/* Bytes that may be read at a bootstrap pointer. */
size_t real_bootstrap_room(const void *pointer);

#endif
