/* The allocation functions that a recorded program calls. Each calls the next one in the loader's
 * order and puts one record into the thread's chunk: a free before the call, an allocation after
 * it, a realloc on both sides. errno stays what the next function made it.
 *
 * operator new and delete of the C++ library come through malloc and free and are recorded there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workloads/record/real.h"
#include "workloads/record/record.h"
#include "workloads/record/rules.h"

#pragma GCC visibility push(default)

enum { HOOKS_ALIGN = 16 }; /* of the bootstrap arena */

void *malloc(size_t size)
{
    if (!real_ready())
        return real_bootstrap(size, HOOKS_ALIGN);
    void *pointer = real.malloc(size);
    record_event(SPOOL_MALLOC, pointer, size, 0);
    return pointer;
}

void *calloc(size_t count, size_t each)
{
    size_t size;
    if (__builtin_mul_overflow(count, each, &size))
        size = SIZE_MAX;
    if (!real_ready())
        return real_bootstrap(size, HOOKS_ALIGN);
    void *pointer = real.calloc(count, each);
    record_event(SPOOL_CALLOC, pointer, size, 0);
    return pointer;
}

/* A block of the bootstrap arena becomes a real one when it is resized. */
static void *hooks_realloc_bootstrap(void *old, size_t size)
{
    void *pointer = malloc(size);
    size_t room = real_bootstrap_room(old);
    return pointer ? memcpy(pointer, old, size < room ? size : room) : NULL;
}

void *realloc(void *old, size_t size)
{
    if (!old)
        return malloc(size);
    if (__builtin_expect(real_is_bootstrap(old), 0))
        return hooks_realloc_bootstrap(old, size);
    size_t large = record_may_be_large(old) ? large_end(old) : 0;
    size_t kept = size >= SPOOL_LARGE ? real.malloc_usable_size(old) : 0;
    record_event(SPOOL_RELEASE, old, 0, 0);
    void *pointer = real.realloc(old, size);
    record_event(SPOOL_RESIZE, pointer, size, 0);
    if (__builtin_expect(pointer ? size >= SPOOL_LARGE : large && size, 0))
        large_begin(pointer ? pointer : old, pointer ? size : large, pointer ? kept : large);
    return pointer;
}

void *reallocarray(void *old, size_t count, size_t each)
{
    size_t size;
    if (__builtin_mul_overflow(count, each, &size))
        size = SIZE_MAX; /* fails, and is recorded as it was meant */
    return realloc(old, size);
}

void free(void *pointer)
{
    if (__builtin_expect(real_is_bootstrap(pointer) || !real_ready(), 0))
        return;
    record_event(SPOOL_FREE, pointer, 0, 0);
    real.free(pointer);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    if (!real_ready())
        return (*out = real_bootstrap(size, align)) ? 0 : ENOMEM;
    int failed = real.posix_memalign(out, align, size);
    record_event(SPOOL_ALIGNED, failed ? NULL : *out, size, align);
    return failed;
}

void *aligned_alloc(size_t align, size_t size)
{
    if (!real_ready())
        return real_bootstrap(size, align);
    void *pointer = real.aligned_alloc(align, size);
    record_event(SPOOL_ALIGNED, pointer, size, align);
    return pointer;
}

void *memalign(size_t align, size_t size)
{
    if (!real_ready())
        return real_bootstrap(size, align);
    void *pointer = real.memalign(align, size);
    record_event(SPOOL_ALIGNED, pointer, size, align);
    return pointer;
}

void *valloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (!real_ready())
        return real_bootstrap(size, page);
    void *pointer = real.valloc(size);
    record_event(SPOOL_ALIGNED, pointer, size, page);
    return pointer;
}

void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (!real_ready())
        return real_bootstrap((size + page - 1) & ~(page - 1), page);
    void *pointer = real.pvalloc(size);
    record_event(SPOOL_ALIGNED, pointer, size, page);
    return pointer;
}

/* What was learnt about code that goes away must not be applied to what comes in its place. */
int dlclose(void *handle)
{
    int failed = real_ready() ? real.dlclose(handle) : -1;
    if (record_depth)
        rules_forget();
    return failed;
}
