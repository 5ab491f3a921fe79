/* The harness's own memory. */
#include "harness/base/pages.h"

#include <sys/mman.h>

static void *pages_map_with(size_t bytes, int flags)
{
    void *pages = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE,
                       MAP_ANONYMOUS | flags, -1, 0);
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

void pages_unmap(void *pages, size_t bytes)
{
    if (pages)
        munmap(pages, bytes ? bytes : 1);
}
