/* system: the process's malloc, whichever library that is: the C library's own, or one preloaded.
 * Every hook is a tail call, so that nothing of ours stands between the replay and the library. */
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "allocators/allocator.h"
#include "allocators/region.h"

/* What the preloaded libraries call "give back what is free"; NULL where another one serves. */
__attribute__((weak)) int mallctl(const char *name, void *old, size_t *old_size, void *new,
                                  size_t new_size);
__attribute__((weak)) void mi_collect(bool force);
__attribute__((weak)) void MallocExtension_ReleaseFreeMemory(void);
__attribute__((weak)) int scalable_allocation_command(int command, void *argument);

enum { SYSTEM_TBB_CLEAN_ALL_BUFFERS = 0 };

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

/* Resident bytes of the process, by /proc/self/statm: resident pages are its second number. */
static size_t system_resident(void)
{
    char text[128] = "";
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    char *second = text;
    strtoul(text, &second, 10);
    return length > 0 ? strtoul(second, NULL, 10) * region_page() : 0;
}

static void system_purge(void)
{
    if (mallctl) {
        mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
        mallctl("arena.4096.purge", NULL, NULL, NULL, 0); /* 4096: MALLCTL_ARENAS_ALL */
    } else if (mi_collect)
        mi_collect(true);
    else if (MallocExtension_ReleaseFreeMemory)
        MallocExtension_ReleaseFreeMemory();
    else if (scalable_allocation_command)
        scalable_allocation_command(SYSTEM_TBB_CLEAN_ALL_BUFFERS, NULL);
    else
        malloc_trim(0);
}

/* No library tells how much it gave back: what the process is smaller by. */
static size_t system_trim(struct heap *heap)
{
    (void)heap;
    size_t before = system_resident();
    system_purge();
    size_t after = system_resident();
    return before > after ? before - after : 0;
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
    .trim = system_trim,
};
