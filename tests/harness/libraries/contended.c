/* An allocator for tests that works long now and then: while it holds its lock, or, with -DALONE,
 * before it takes it. It makes no system call and touches its memory beforehand, so that nothing
 * but the lock makes a thread wait. */
#include <pthread.h>
#include <stddef.h>
#include <string.h>

enum { SPACE = 8 << 20, OFTEN = 500, WORK = 2500000 };

static char space[SPACE] __attribute__((aligned(64)));
static size_t used, calls;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void touch(void)
{
    memset(space, 1, sizeof space);
}

static void work(void)
{
    for (volatile int i = 0; i < WORK; i++)
        continue;
}

void *malloc(size_t size)
{
    static __thread size_t mine;
#ifdef ALONE
    if (++mine % OFTEN == 0)
        work();
    while (pthread_mutex_trylock(&lock) != 0)
        continue;
#else
    (void)mine;
    pthread_mutex_lock(&lock);
    if (++calls % OFTEN == 0)
        work();
#endif
    size_t taken = (size + 31) & ~(size_t)15;
    char *block = space + used;
    used = used + 2 * taken > SPACE ? 0 : used + taken;
    pthread_mutex_unlock(&lock);
    *(size_t *)(void *)block = size;
    return block + 16;
}

void free(void *block)
{
    (void)block;
}

void *calloc(size_t count, size_t size)
{
    return memset(malloc(count * size), 0, count * size);
}

void *realloc(void *block, size_t size)
{
    void *moved = malloc(size);
    if (block)
        memcpy(moved, block, ((size_t *)block)[-2] < size ? ((size_t *)block)[-2] : size);
    return moved;
}
