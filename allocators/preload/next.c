/* The malloc behind the preload. The linker turns the calls of system.c into the __wrap_ functions
 * here (--wrap), or they would come round to the preload itself. */
#include "allocators/preload/next.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void __wrap_free(void *pointer);
int __wrap_posix_memalign(void **out, size_t align, size_t size);
size_t __wrap_malloc_usable_size(void *pointer);

static struct {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *pointer, size_t size);
    void (*free)(void *pointer);
    int (*posix_memalign)(void **out, size_t align, size_t size);
    size_t (*malloc_usable_size)(void *pointer);
} next;

/* POSIX has a function pointer fit in what dlsym returns; ISO C has no cast for it. */
static int next_set(void *place, const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    memcpy(place, &function, sizeof function);
    return function != NULL;
}

static int next_prove(const char *owner, struct err *err)
{
    Dl_info info;
    char path[PATH_MAX], wanted[PATH_MAX];
    void *function = dlsym(RTLD_NEXT, "malloc");
    if (!dladdr(function, &info) || !realpath(info.dli_fname, path) || !realpath(owner, wanted))
        return err_set(err, ENOENT, "the owner of malloc behind the layers is not to be found");
    if (strcmp(path, wanted) != 0)
        return err_set(err, ENOENT, "malloc behind the layers came from %s, not from %s", path,
                       owner);
    return 0;
}

int next_find(const char *owner, struct err *err)
{
    if (!next_set(&next.malloc, "malloc") || !next_set(&next.calloc, "calloc") ||
        !next_set(&next.realloc, "realloc") || !next_set(&next.free, "free") ||
        !next_set(&next.posix_memalign, "posix_memalign") ||
        !next_set(&next.malloc_usable_size, "malloc_usable_size"))
        return err_set(err, ENOENT, "no library behind the layers has malloc and its kin");
    return owner ? next_prove(owner, err) : 0;
}

void *__wrap_malloc(size_t size)
{
    return next.malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return next.calloc(count, size);
}

void *__wrap_realloc(void *pointer, size_t size)
{
    return next.realloc(pointer, size);
}

void __wrap_free(void *pointer)
{
    next.free(pointer);
}

int __wrap_posix_memalign(void **out, size_t align, size_t size)
{
    return next.posix_memalign(out, align, size);
}

size_t __wrap_malloc_usable_size(void *pointer)
{
    return next.malloc_usable_size(pointer);
}
