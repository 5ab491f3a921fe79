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
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>

#include "allocators/preload/misuse.h"
#include "allocators/preload/next.h"
#include "allocators/preload/place.h"
#include "allocators/region.h"
#include "allocators/spec.h"

#define EXPORT __attribute__((visibility("default")))

/* A preload has no caller that could hold its state for it. */
static struct {
    struct heap *heap;
    struct region region;
    struct place place;
    struct spec spec;
    struct misuse misuse; /* of this process */
    pthread_once_t once;
    pthread_mutex_t mutex;
    pthread_t forking; /* if `forks`: the thread that holds the mutex across its fork */
    bool forks;
} preload = {.once = PTHREAD_ONCE_INIT, .mutex = PTHREAD_MUTEX_INITIALIZER};

/* One line to stderr; stdio would allocate, and there may be no heap to allocate from. */
static void preload_say(const char *why)
{
    char line[sizeof((struct err *)0)->text + 16];
    int length = snprintf(line, sizeof line, "heapbench: %s\n", why);
    if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
        return;
}

static noreturn void preload_die(const char *why)
{
    preload_say(why);
    _exit(127);
}

static void preload_create(void)
{
    struct err err = {0};
    const char *text = getenv("HEAPBENCH_ALLOCATOR");
    if (!text)
        preload_die("HEAPBENCH_ALLOCATOR is not set; start the program with 'bench exec'");
    struct heap *heap;
    int failed = spec_parse(&preload.spec, text, &err);
    if (!failed && preload.spec.backend->scope == SCOPE_PROCESS)
        failed = next_find(getenv("HEAPBENCH_BEHIND"), &err);
    if (!failed)
        failed = spec_create(&preload.spec, &preload.region, NULL, &heap, &err);
    if (!failed)
        failed = place_init(&preload.place, heap, &err);
    if (failed)
        preload_die(err.text);
    __atomic_store_n(&preload.heap, heap, __ATOMIC_RELEASE);
}

/* Other libraries' fork handlers may allocate while ours holds the mutex, whoever came first. */
static bool preload_is_forking(void)
{
    return __builtin_expect(__atomic_load_n(&preload.forks, __ATOMIC_ACQUIRE), 0) &&
           pthread_equal(preload.forking, pthread_self());
}

static void preload_begin(void)
{
    if (__builtin_expect(!__atomic_load_n(&preload.heap, __ATOMIC_ACQUIRE), 0))
        pthread_once(&preload.once, preload_create);
}

static struct place *preload_enter(void)
{
    preload_begin();
    if (!preload_is_forking())
        pthread_mutex_lock(&preload.mutex);
    return &preload.place;
}

static void preload_leave(void)
{
    if (!preload_is_forking())
        pthread_mutex_unlock(&preload.mutex);
}

/* ---- the end: what was found would else be known to nobody ------------------------------------
 */

static bool preload_is_checked(void)
{
    bool checked = false;
    if (__atomic_load_n(&preload.heap, __ATOMIC_ACQUIRE))
        for (size_t i = 0; i < preload.spec.layer_count; i++)
            checked |= preload.spec.layers[i] == &layer_checked;
    return checked;
}

/* A program may end in a signal handler, in the middle of a call: then nobody gives the mutex back.
 */
__attribute__((destructor)) static void preload_report(void)
{
    char why[256];
    if (misuse_sum(&preload.misuse, why))
        preload_say(why);
    if (!preload_is_checked())
        return;
    if (pthread_mutex_trylock(&preload.mutex) != 0) {
        preload_say("not checked at the end: the program ended inside of a call");
        return;
    }
    bool found = heap_check(preload.heap, why, sizeof why) == -EUCLEAN;
    pthread_mutex_unlock(&preload.mutex);
    if (found)
        preload_say(why);
}

/* ---- fork -------------------------------------------------------------------------------------
 */

static void preload_before_fork(void)
{
    preload_enter();
    preload.forking = pthread_self();
    __atomic_store_n(&preload.forks, true, __ATOMIC_RELEASE);
}

static void preload_after_fork(void)
{
    __atomic_store_n(&preload.forks, false, __ATOMIC_RELEASE);
    preload_leave();
}

static void preload_after_fork_in_child(void)
{
    preload.misuse = (struct misuse){0};
    preload_after_fork();
}

__attribute__((constructor)) static void preload_watch_fork(void)
{
    pthread_atfork(preload_before_fork, preload_after_fork, preload_after_fork_in_child);
}

/* ---- blocks -----------------------------------------------------------------------------------
 */

/* No live block begins there. Gives the mutex back, before it writes: who reads that may wait for
 * memory. */
static __attribute__((cold, noinline)) void preload_refuse(const char *call, const void *pointer)
{
    char text[MISUSE_TEXT];
    int kept = errno;
    bool told = misuse_note(&preload.misuse, preload.heap, call, pointer, text);
    preload_leave();
    if (told)
        preload_say(text);
    errno = kept;
}

/* A malloc of nothing is a block of its own. */
static size_t preload_size(size_t size)
{
    return size ? size : 1;
}

static void *preload_alloc(size_t align, size_t size, bool zero)
{
    struct place *place = preload_enter();
    void *pointer = place_alloc(place, align, preload_size(size), zero);
    preload_leave();
    if (!pointer)
        errno = ENOMEM;
    return pointer;
}

EXPORT void *malloc(size_t size)
{
    return preload_alloc(place_align(size), size, false);
}

EXPORT void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return preload_alloc(place_align(bytes), bytes, true);
}

EXPORT void free(void *pointer)
{
    if (!pointer)
        return;
    int kept = errno;
    if (place_free(preload_enter(), pointer))
        preload_leave();
    else
        preload_refuse("free", pointer);
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
    struct place *place = preload_enter();
    if (!place_owns(place, pointer)) {
        preload_refuse("realloc", pointer);
        errno = EINVAL;
        return NULL;
    }
    void *moved = place_realloc(place, pointer, size);
    preload_leave();
    if (!moved)
        errno = ENOMEM;
    return moved;
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
    struct place *place = preload_enter();
    if (!place_owns(place, pointer)) {
        preload_refuse("malloc_usable_size", pointer);
        return 0;
    }
    size_t usable = place_usable(place, pointer);
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
    size_t least = place_align(size);
    return preload_alloc(align > least ? align : least, size, false);
}

/* As glibc's before 2.38, for aligned_alloc too: what is no power of two is rounded up to one. */
EXPORT void *memalign(size_t align, size_t size)
{
    size_t power = 1;
    while (power < align && power <= SIZE_MAX / 4)
        power *= 2;
    if (power < align) {
        errno = align > SIZE_MAX / 2 + 1 ? EINVAL : ENOMEM;
        return NULL;
    }
    return preload_aligned(power, size);
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
