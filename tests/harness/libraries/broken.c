/* A malloc that is broken in the way that BREAK names, once it has served AFTER calls. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { CRASH, HANG, OVERLAP, MISALIGN, DIRTY, FORGET, EXIT };

#ifndef AFTER
#define AFTER 100
#endif

void _exit(int status);
static char *at, *end;
static unsigned long calls;

static void *take(size_t size)
{
    size_t rounded = (size + 16 + 15) / 16 * 16;
    if (!at) {
        size_t bytes = (size_t)1 << 30;
        at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                  -1, 0);
        end = at + bytes;
    }
    if ((size_t)(end - at) < rounded)
        return NULL;
    char *block = at;
    at += rounded;
    memcpy(block, &size, sizeof size);
    return block + 16;
}

static void misbehave(void)
{
    if (++calls < AFTER)
        return;
    if (BREAK == CRASH)
        *(volatile int *)16 = 1;
    if (BREAK == EXIT)
        _exit(3);
    while (BREAK == HANG)
        ;
}

void *malloc(size_t size)
{
    static char *last;
    misbehave();
    if (calls >= AFTER && BREAK == OVERLAP && last)
        return last;
    last = take(size);
    return calls >= AFTER && BREAK == MISALIGN ? last + 4 : last;
}

void free(void *pointer)
{
    (void)pointer;
}

void *calloc(size_t count, size_t size)
{
    void *block = malloc(count * size);
    return calls >= AFTER && BREAK == DIRTY && block ? memset(block, 7, count * size) : block;
}

void *realloc(void *pointer, size_t size)
{
    void *block = malloc(size);
    size_t old = 0;
    if (pointer && block && BREAK != FORGET) {
        memcpy(&old, (char *)pointer - 16, sizeof old);
        memcpy(block, pointer, old < size ? old : size);
    }
    return block;
}
