/* The harness's own memory. */
#include "harness/base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

#define PAGES_HUGE ((size_t)2 << 20)
#define PAGES_SIZE ((size_t)4 << 10)

static void *pages_map_with(size_t bytes, int flags)
{
    void *pages =
        mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void *pages_map(size_t bytes)
{
    return pages_map_with(bytes, MAP_SHARED | MAP_POPULATE);
}

void *pages_map_lazy(size_t bytes)
{
    return pages_map_with(bytes, MAP_SHARED | MAP_NORESERVE);
}

void *pages_map_private(size_t bytes)
{
    return pages_map_with(bytes, MAP_PRIVATE);
}

/* Mapped with room to spare, which is cut off so that huge pages fit. */
void *pages_map_huge(size_t bytes)
{
    if (bytes < PAGES_HUGE || bytes > SIZE_MAX - 2 * PAGES_HUGE)
        return pages_map_private(bytes);
    bytes = (bytes + PAGES_SIZE - 1) & ~(PAGES_SIZE - 1);
    char *wide = pages_map_private(bytes + PAGES_HUGE);
    if (!wide)
        return NULL;
    size_t before = (PAGES_HUGE - (uintptr_t)wide % PAGES_HUGE) % PAGES_HUGE;
    if (before)
        munmap(wide, before);
    munmap(wide + before + bytes, PAGES_HUGE - before);
    madvise(wide + before, bytes, MADV_HUGEPAGE);
    return wide + before;
}

void *pages_map_quick(size_t bytes)
{
    volatile char *pages = pages_map_huge(bytes < PAGES_HUGE ? PAGES_HUGE : bytes);
    for (size_t i = 0; pages && i < bytes; i += PAGES_SIZE)
        pages[i] = 0;
    return (void *)(uintptr_t)pages;
}

void pages_unmap(void *pages, size_t bytes)
{
    if (pages)
        munmap(pages, bytes ? bytes : 1);
}
