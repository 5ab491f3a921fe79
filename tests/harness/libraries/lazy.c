/* An allocator for tests that gives each block pages of its own, reads them when it gives them out
 * (so that the kernel's page of zeros stands behind what nobody has written), and frees them lazily.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, HEADER = 64, ARENA = 1 << 30 };

static char *arena;
static size_t used;

static size_t pages_of(size_t size)
{
    return (size + HEADER + PAGE - 1) / PAGE * PAGE;
}

void *malloc(size_t size)
{
    if (!arena)
        arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                     -1, 0);
    char *block = arena + used;
    used += pages_of(size);
    for (size_t at = 0; at < pages_of(size); at += PAGE)
        (void)*(volatile char *)(block + at);
    *(size_t *)(void *)block = size;
    return block + HEADER;
}

size_t malloc_usable_size(void *pointer)
{
    return pointer ? *(size_t *)(void *)((char *)pointer - HEADER) : 0;
}

void free(void *pointer)
{
    if (pointer)
        madvise((char *)pointer - HEADER, pages_of(malloc_usable_size(pointer)), MADV_FREE);
}

void *calloc(size_t count, size_t size)
{
    return malloc(count * size);
}

void *realloc(void *pointer, size_t size)
{
    size_t old = malloc_usable_size(pointer);
    void *moved = malloc(size);
    memcpy(moved, pointer, old < size ? old : size);
    free(pointer);
    return moved;
}

int posix_memalign(void **out, size_t align, size_t size)
{
    return align > HEADER ? EINVAL : (*out = malloc(size), 0);
}
