/* The C library's allocation functions on any built-in backend, for real programs.
 *
 * Preloaded by `bench exec`, told the spec by HEAPBENCH_ALLOCATOR. The first call creates the heap,
 * which may be long before any constructor has run; nothing on that way allocates. One mutex stands
 * before every backend, also before those that lock themselves: it is held across fork, so that the
 * child's copy of the heap is whole. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocators/region.h"
#include "allocators/spec.h"

#define EXPORT __attribute__((visibility("default")))

/* A preload has no caller that could hold its state for it. */
static struct {
    struct heap *heap;
    struct region region;
    struct spec spec;
    pthread_once_t once;
    pthread_mutex_t mutex;
} preload = {.once = PTHREAD_ONCE_INIT, .mutex = PTHREAD_MUTEX_INITIALIZER};

/* stdio would allocate, and there is no heap to allocate from. */
static void preload_die(const char *why)
{
    static const char name[] = "heapbench: ";
    if (write(STDERR_FILENO, name, sizeof name - 1) < 0 ||
        write(STDERR_FILENO, why, strlen(why)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
        _exit(126);
    _exit(127);
}

static void preload_create(void)
{
    struct err err = {0};
    const char *text = getenv("HEAPBENCH_ALLOCATOR");
    if (!text)
        preload_die("HEAPBENCH_ALLOCATOR is not set; start the program with 'bench exec'");
    if (spec_parse(&preload.spec, text, &err) ||
        spec_create(&preload.spec, &preload.region, NULL, &preload.heap, &err))
        preload_die(err.text);
}

static struct heap *preload_enter(void)
{
    if (__builtin_expect(!__atomic_load_n(&preload.heap, __ATOMIC_ACQUIRE), 0))
        pthread_once(&preload.once, preload_create);
    pthread_mutex_lock(&preload.mutex);
    return preload.heap;
}

static void preload_leave(void)
{
    pthread_mutex_unlock(&preload.mutex);
}

/* ---- fork -------------------------------------------------------------------------------------
 */

static void preload_before_fork(void)
{
    preload_enter();
}

static void preload_after_fork(void)
{
    preload_leave();
}

__attribute__((constructor)) static void preload_watch_fork(void)
{
    pthread_atfork(preload_before_fork, preload_after_fork, preload_after_fork);
}

/* ---- blocks -----------------------------------------------------------------------------------
 */

/* What alloc gave, as a pointer; NULL sets errno. Called with the heap entered, leaves it. */
static void *preload_give(struct heap *heap, void *ref, bool got)
{
    void *pointer = got ? heap_resolve(heap, ref) : NULL;
    preload_leave();
    if (!pointer)
        errno = ENOMEM;
    return pointer;
}

static size_t preload_size(size_t size)
{
    return size ? size : 1;
}

EXPORT void *malloc(size_t size)
{
    struct heap *heap = preload_enter();
    void *ref = heap_alloc(heap, preload_size(size));
    return preload_give(heap, ref, ref != NULL);
}

EXPORT void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    struct heap *heap = preload_enter();
    void *ref = heap_zalloc(heap, preload_size(bytes));
    return preload_give(heap, ref, ref != NULL);
}

EXPORT void free(void *pointer)
{
    if (!pointer)
        return;
    int kept = errno;
    struct heap *heap = preload_enter();
    heap_free(heap, heap_ref_of(heap, pointer));
    preload_leave();
    errno = kept;
}

EXPORT void *realloc(void *pointer, size_t size)
{
    if (!pointer)
        return malloc(size);
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    struct heap *heap = preload_enter();
    void *ref = heap_ref_of(heap, pointer);
    void *moved = heap_realloc(heap, ref, heap_usable_size(heap, ref, 0), size);
    return preload_give(heap, moved, moved != NULL);
}

EXPORT void *reallocarray(void *pointer, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(pointer, bytes);
}

EXPORT size_t malloc_usable_size(void *pointer)
{
    if (!pointer)
        return 0;
    struct heap *heap = preload_enter();
    size_t usable = heap_usable_size(heap, heap_ref_of(heap, pointer), 0);
    preload_leave();
    return usable;
}

/* ---- alignment --------------------------------------------------------------------------------
 */

static bool preload_is_power(size_t align)
{
    return align && (align & (align - 1)) == 0;
}

static void *preload_aligned(size_t align, size_t size)
{
    struct heap *heap = preload_enter();
    void *ref = heap_alloc_aligned(heap, align, preload_size(size));
    return preload_give(heap, ref, ref != NULL);
}

EXPORT void *memalign(size_t align, size_t size)
{
    if (!preload_is_power(align)) {
        errno = EINVAL;
        return NULL;
    }
    return preload_aligned(align, size);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
    if (!preload_is_power(align) || align % sizeof(void *))
        return EINVAL;
    int kept = errno;
    void *pointer = preload_aligned(align, size);
    errno = kept;
    if (!pointer)
        return ENOMEM;
    *out = pointer;
    return 0;
}

EXPORT void *valloc(size_t size)
{
    return preload_aligned(region_page(), size);
}

EXPORT void *pvalloc(size_t size)
{
    size_t page = region_page();
    if (size > SIZE_MAX - page) {
        errno = ENOMEM;
        return NULL;
    }
    return preload_aligned(page, (preload_size(size) + page - 1) / page * page);
}
