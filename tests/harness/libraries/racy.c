/* A malloc for tests that leaves its list of free blocks unguarded, and lingers where that shows:
 * two threads may be given one block. With -DLOCKED it guards it. */
#include <pthread.h>
#include <stddef.h>
#include <string.h>

enum { SIZE = 512, BLOCKS = 1 << 14, LINGER = 200 };

static char space[BLOCKS][SIZE] __attribute__((aligned(64)));
static size_t fresh;
static char *list; /* a free block holds the next in its last bytes */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void linger(void)
{
    for (volatile int i = 0; i < LINGER; i++)
        continue;
}

static void enter(void)
{
#ifdef LOCKED
    pthread_mutex_lock(&lock);
#endif
}

static void leave(void)
{
#ifdef LOCKED
    pthread_mutex_unlock(&lock);
#endif
}

static char **next_of(char *block)
{
    return (char **)(void *)(block + SIZE - sizeof(char *));
}

void *malloc(size_t size)
{
    enter();
    char *block = list;
    if (block) {
        char *next = *next_of(block);
        linger();
        list = next;
    } else if (size <= SIZE - sizeof(char *) && fresh < BLOCKS) {
        block = space[fresh];
        linger();
        fresh++;
    }
    leave();
    return size <= SIZE - sizeof(char *) ? block : NULL;
}

void free(void *pointer)
{
    char *block = pointer;
    if (!block)
        return;
    enter();
    *next_of(block) = list;
    list = block;
    leave();
}

void *calloc(size_t count, size_t size)
{
    void *block = malloc(count * size);
    return block ? memset(block, 0, count * size) : NULL;
}

/* Blocks are all of one size. */
void *realloc(void *pointer, size_t size)
{
    return pointer && size <= SIZE - sizeof(char *) ? pointer : malloc(size);
}
