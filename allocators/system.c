/* system: the process's malloc, whichever library that is: the C library's own, or one preloaded.
 * Every hook is a tail call, so that nothing of ours stands between the replay and the library. */
#include <malloc.h>
#include <stdlib.h>

#include "allocators/allocator.h"

static const struct heap system_heap = {&allocator_system};

static int system_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    (void)config;
    (void)err;
    *out = (struct heap *)(uintptr_t)&system_heap; /* never written through */
    return 0;
}

static void system_destroy(struct heap *heap)
{
    (void)heap;
}

static void *system_alloc(struct heap *heap, size_t size)
{
    (void)heap;
    return malloc(size);
}

static void system_free(struct heap *heap, void *ref)
{
    (void)heap;
    free(ref);
}

static void *system_zalloc(struct heap *heap, size_t size)
{
    (void)heap;
    return calloc(1, size);
}

static void *system_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    (void)heap;
    (void)old_size;
    return realloc(ref, size);
}

/* Not aligned_alloc: some libraries insist that the size is a multiple of the alignment. */
static void *system_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    void *ref;
    (void)heap;
    return posix_memalign(&ref, align, size) ? NULL : ref;
}

static size_t system_usable_size(struct heap *heap, void *ref)
{
    (void)heap;
    return malloc_usable_size(ref);
}

const struct allocator allocator_system = {
    .name = "system",
    .summary = "the malloc of the process: the C library's, or one preloaded",
    .align = 8, /* what every library keeps for every size; they differ below 16 bytes */
    .threads = THREADS_ANY,
    .scope = SCOPE_PROCESS,
    .flags = ALLOCATOR_FORK_SAFE,
    .create = system_create,
    .destroy = system_destroy,
    .alloc = system_alloc,
    .free = system_free,
    .zalloc = system_zalloc,
    .realloc = system_realloc,
    .alloc_aligned = system_alloc_aligned,
    .usable_size = system_usable_size,
};
