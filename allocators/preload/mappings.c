/* Tells which memory a program maps itself: mmap, munmap and mremap stand before the C library's,
 * and a call is the allocator's when it comes from the object that owns malloc, or from one that
 * this needs. (The C library's own malloc and its thread stacks never come here: they do not go
 * through the names.) */
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

enum { MAPPINGS_OBJECTS = 16 };

/* Set once, before main. */
static struct {
    int log;                                            /* 0 until it is open */
    const struct link_map *allocator[MAPPINGS_OBJECTS]; /* the objects whose calls are not told */
    size_t count;
} mappings;

static void mappings_tell(enum mappings_kind kind, const void *start, size_t length)
{
    struct mappings_record record = {
        .kind = kind, .pid = (int32_t)getpid(), .start = (uintptr_t)start, .length = length};
    ssize_t ignored = write(mappings.log, &record, sizeof record);
    (void)ignored;
}

static const char *mappings_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void mappings_add(const struct link_map *object)
{
    if (object && mappings.count < MAPPINGS_OBJECTS)
        mappings.allocator[mappings.count++] = object;
}

static const struct link_map *mappings_find(const char *name)
{
    const struct link_map *object = mappings.count ? mappings.allocator[0] : NULL;
    while (object && object->l_prev)
        object = object->l_prev;
    while (object && strcmp(mappings_file(object->l_name), mappings_file(name)) != 0)
        object = object->l_next;
    return object;
}

/* An allocator may be a thin library before another one: what it names as needed is its too. */
static void mappings_add_needed(const struct link_map *owner)
{
    const char *names = NULL;
    for (const ElfW(Dyn) *entry = owner->l_ld; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_STRTAB)
            names = (const char *)entry->d_un.d_ptr;
    for (const ElfW(Dyn) *entry = owner->l_ld; names && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_NEEDED)
            mappings_add(mappings_find(names + entry->d_un.d_val));
}

/* The C library's own malloc maps without these names, so all that is seen is the program's. */
static void mappings_find_allocator(void)
{
    const char *behind = getenv("HEAPBENCH_BEHIND");
    struct dl_find_object object;
    Dl_info owner;
    if (!owner_find(&owner) || _dl_find_object((void *)owner.dli_fbase, &object) != 0 ||
        strncmp(mappings_file(owner.dli_fname), "libc.", 5) == 0)
        return;
    mappings_add(object.dlfo_link_map);
    if (*owner.dli_fname)
        mappings_add_needed(object.dlfo_link_map);
    if (behind && *behind)
        mappings_add(mappings_find(behind));
}

__attribute__((constructor)) static void mappings_start(void)
{
    const char *path = getenv(MAPPINGS_ENVIRONMENT);
    int log = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (log < 0)
        return;
    mappings_find_allocator();
    /* Out of the way of programs that count on small numbers. */
    int moved = fcntl(log, F_DUPFD_CLOEXEC, 700);
    if (moved >= 0)
        close(log);
    mappings.log = moved >= 0 ? moved : log;
    mappings_tell(MAPPINGS_START, NULL, 0);
}

static bool mappings_is_program(void *caller)
{
    struct dl_find_object object;
    if (mappings.log == 0)
        return false;
    const struct link_map *map =
        _dl_find_object(caller, &object) == 0 ? object.dlfo_link_map : NULL;
    for (size_t i = 0; i < mappings.count; i++)
        if (mappings.allocator[i] == map)
            return false;
    return true;
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
