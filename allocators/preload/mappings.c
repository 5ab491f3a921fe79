/* Tells which memory a program maps itself: mmap, munmap and mremap stand before the C library's,
 * and a call is the allocator's when it comes from the object that owns malloc. (The C library's
 * own malloc and its thread stacks never come here: they do not go through the names.) */
#include "allocators/preload/mappings.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "allocators/preload/owner.h"

#define EXPORT __attribute__((visibility("default")))

/* Set once, before main. */
static struct {
    int log; /* 0 until it is open */
    const struct link_map *owner;
    const char *behind; /* the library behind a layer, "" none */
} mappings;

static void mappings_tell(enum mappings_kind kind, const void *start, size_t length)
{
    struct mappings_record record = {
        .kind = kind, .pid = (int32_t)getpid(), .start = (uintptr_t)start, .length = length};
    ssize_t ignored = write(mappings.log, &record, sizeof record);
    (void)ignored;
}

__attribute__((constructor)) static void mappings_start(void)
{
    const char *path = getenv(MAPPINGS_ENVIRONMENT), *behind = getenv("HEAPBENCH_BEHIND");
    struct dl_find_object object;
    Dl_info owner;
    int log = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (log < 0)
        return;
    if (owner_find(&owner) && _dl_find_object((void *)owner.dli_saddr, &object) == 0)
        mappings.owner = object.dlfo_link_map;
    mappings.behind = behind ? behind : "";
    /* Out of the way of programs that count on small numbers. */
    int moved = fcntl(log, F_DUPFD_CLOEXEC, 700);
    if (moved >= 0)
        close(log);
    mappings.log = moved >= 0 ? moved : log;
    mappings_tell(MAPPINGS_START, NULL, 0);
}

static int mappings_is_program(void *caller)
{
    struct dl_find_object object;
    if (mappings.log == 0 || _dl_find_object(caller, &object) != 0)
        return mappings.log != 0;
    const struct link_map *map = object.dlfo_link_map;
    return map != mappings.owner &&
           (!*mappings.behind || strcmp(map->l_name, mappings.behind) != 0);
}

static void *mappings_map(void *caller, void *at, size_t length, int rights, int flags, int fd,
                          off_t offset)
{
    void *got = (void *)syscall(SYS_mmap, at, length, rights, flags, fd, offset); // NOLINT
    if (got != MAP_FAILED && (flags & MAP_ANONYMOUS) && (flags & MAP_PRIVATE) &&
        mappings_is_program(caller))
        mappings_tell(MAPPINGS_MAPPED, got, length);
    return got;
}

EXPORT void *mmap(void *at, size_t length, int rights, int flags, int fd, off_t offset)
{
    return mappings_map(__builtin_return_address(0), at, length, rights, flags, fd, offset);
}

EXPORT void *mmap64(void *at, size_t length, int rights, int flags, int fd, off_t offset)
{
    return mappings_map(__builtin_return_address(0), at, length, rights, flags, fd, offset);
}

EXPORT int munmap(void *at, size_t length)
{
    int status = (int)syscall(SYS_munmap, at, length);
    if (status == 0 && mappings_is_program(__builtin_return_address(0)))
        mappings_tell(MAPPINGS_UNMAPPED, at, length);
    return status;
}

EXPORT void *mremap(void *at, size_t old_length, size_t length, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    void *to = flags & MREMAP_FIXED ? va_arg(arguments, void *) : NULL;
    va_end(arguments);
    void *got = (void *)syscall(SYS_mremap, at, old_length, length, flags, to); // NOLINT
    if (got != MAP_FAILED && mappings_is_program(__builtin_return_address(0))) {
        mappings_tell(MAPPINGS_UNMAPPED, at, old_length);
        mappings_tell(MAPPINGS_MAPPED, got, length);
    }
    return got;
}
