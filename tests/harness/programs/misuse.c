/* Every call that malloc's interface forbids, beside blocks that must not suffer from it.
 *
 *     misuse THREADS [keeps]
 *
 * Prints a line for each thing that is not as it should be, then "end N": N calls had a pointer at
 * which no live block began. So many other threads take and free blocks meanwhile, larger than
 * any hole of what is freed twice. `keeps`: free keeps every block, so that none is freed twice. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            printf("line %d: %s\n", __LINE__, #condition);                                         \
    } while (0)

enum { BLOCKS = 64, SIZE = 200, LARGE = 300000, CHURNED = 50 };

static char *blocks[BLOCKS]; /* each of SIZE bytes that are its number */
static unsigned calls;
static char fixed[64] __attribute__((aligned(16)));

static void keep(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(SIZE);
        MUST(blocks[i]);
        memset(blocks[i], i, SIZE);
    }
}

static void prove(int line)
{
    for (int i = 0; i < BLOCKS; i++)
        for (int j = 0; blocks[i] && j < SIZE; j++)
            if (blocks[i][j] != i) {
                printf("line %d: block %d was written\n", line, i);
                return;
            }
}

/* free does nothing, and leaves errno alone. */
static void bad_free(void *pointer, int line)
{
    calls++;
    errno = 7;
    free(pointer);
    if (errno != 7)
        printf("line %d: errno %d\n", line, errno);
    prove(line);
}
#define BAD_FREE(pointer) bad_free(pointer, __LINE__)

static void bad_use(void *pointer, int line)
{
    calls += 3;
    errno = 0;
    if (realloc(pointer, 100) || errno != EINVAL)
        printf("line %d: a small realloc\n", line);
    errno = 0;
    if (reallocarray(pointer, 10, LARGE) || errno != EINVAL)
        printf("line %d: a large realloc\n", line);
    if (malloc_usable_size(pointer) != 0)
        printf("line %d: a size\n", line);
    BAD_FREE(pointer);
}
#define BAD_USE(pointer) bad_use(pointer, __LINE__)

/* ---- pointers ---------------------------------------------------------------------------------
 */

static char *freed(int i)
{
    char *block = blocks[i];
    blocks[i] = NULL;
    free(block);
    return block;
}

static void twice(void)
{
    char *first = freed(20), *second, *third;
    BAD_FREE(first);
    BAD_USE(first);
    second = freed(22);
    third = freed(24);
    BAD_FREE(first);
    free(malloc(LARGE));
    char *large = malloc(LARGE);
    BAD_USE(second);
    BAD_USE(first);
    freed(23); /* one hole of three */
    BAD_USE(second);
    BAD_USE(third);
    free(large);
}

/* Holes that another thread's blocks would go to. */
static void twice_alone(void)
{
    char *large = malloc(LARGE), *aligned = memalign(4096, SIZE);
    free(large);
    BAD_FREE(large);
    free(aligned);
    BAD_USE(aligned);
    BAD_USE(large);
    large = malloc(SIZE);
    MUST(!realloc(large, 0));
    BAD_USE(large);
}

static void inside(void)
{
    char *large = malloc(LARGE), *aligned = memalign(4096, 500);
    memset(large, 0, LARGE);
    for (int i = 0; i < SIZE; i++)
        BAD_FREE(blocks[30] + 1 + i % (SIZE - 1));
    BAD_USE(blocks[30] + 8);
    BAD_USE(blocks[30] + 16);
    BAD_USE(blocks[30] + 64);
    BAD_USE(blocks[30] + SIZE - 8);
    BAD_FREE(blocks[30] - 8);
    BAD_USE(large + 16);
    BAD_USE(large + 4096);
    BAD_USE(large + LARGE / 2);
    BAD_USE(aligned + 16);
    BAD_USE(aligned + 256);
    free(aligned);
    for (int i = 0; i < LARGE; i++)
        if (large[i]) {
            printf("byte %d of the large block was written\n", i);
            break;
        }
    free(large);
}

static void foreign(void)
{
    char local[64] __attribute__((aligned(16)));
    char *mapped = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *closed = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(local, 0, sizeof local);
    BAD_USE(local);
    BAD_USE(local + 16);
    BAD_USE(fixed);
    BAD_USE((void *)(uintptr_t)free);
    BAD_USE(mapped);
    BAD_USE(mapped + 16);
    BAD_USE(closed + 4096);
    BAD_USE((void *)16);
    BAD_USE((void *)(UINTPTR_MAX - 15));
    BAD_USE((void *)UINTPTR_MAX);
    for (unsigned shift = 12; shift < 47; shift++)
        BAD_FREE((void *)((uintptr_t)blocks[0] ^ (uintptr_t)1 << shift | 8));
    munmap(closed, 1 << 20);
    munmap(mapped, 1 << 20);
}

/* ---- sizes and alignments ---------------------------------------------------------------------
 */

static void sizes(void)
{
    static const size_t huge[] = {SIZE_MAX,     SIZE_MAX - 15,    SIZE_MAX - 4096,
                                  (size_t)-200, SIZE_MAX / 2 + 1, SIZE_MAX / 2,
                                  SIZE_MAX / 4, (size_t)1 << 50};
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        void *out = &out;
        errno = 0;
        MUST(!malloc(huge[i]) && errno == ENOMEM);
        errno = 0;
        MUST(!calloc(huge[i], 1) && errno == ENOMEM);
        errno = 0;
        MUST(!calloc(huge[i], huge[i]) && errno == ENOMEM);
        errno = 0;
        MUST(!realloc(blocks[1], huge[i]) && errno == ENOMEM);
        errno = 0;
        MUST(!reallocarray(blocks[1], huge[i], 16) && errno == ENOMEM);
        errno = 0;
        MUST(!aligned_alloc(64, huge[i]) && errno == ENOMEM);
        errno = 0;
        MUST(!memalign(1 << 20, huge[i]) && errno == ENOMEM);
        errno = 0;
        MUST(!valloc(huge[i]) && errno == ENOMEM);
        errno = 0;
        MUST(!pvalloc(huge[i]) && errno == ENOMEM);
        errno = 7;
        MUST(posix_memalign(&out, 32, huge[i]) == ENOMEM && out == &out && errno == 7);
        prove(__LINE__);
    }
}

static void alignments(void)
{
    static const size_t bad[] = {0, 1, 2, 4, 3, 12, 24, 48, 1000, SIZE_MAX};
    void *out = &out;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        MUST(posix_memalign(&out, bad[i], 100) == EINVAL && out == &out);
    for (unsigned shift = 40; shift < 64; shift++) {
        int status = posix_memalign(&out, (size_t)1 << shift, 100);
        MUST(status == ENOMEM || (status == 0 && (uintptr_t)out % ((size_t)1 << shift) == 0));
        if (status == 0)
            free(out);
        prove(__LINE__);
    }
    for (size_t i = 0; i + 1 < sizeof bad / sizeof *bad; i++)
        free(aligned_alloc(bad[i], 100)); /* rounded up */
    errno = 0;
    MUST(!aligned_alloc(SIZE_MAX, 100) && errno == EINVAL);
    errno = 0;
    MUST(!memalign(SIZE_MAX / 2 + 2, 100) && errno == EINVAL);
}

static void nothing(void)
{
    free(NULL);
    MUST(malloc_usable_size(NULL) == 0);
    char *first = malloc(0), *second = calloc(0, 7);
    MUST(first && second && first != second);
    MUST(!realloc(first, 0));
    free(second);
    MUST(!posix_memalign((void **)&first, 64, 0) && first);
    free(first);
    first = realloc(NULL, 0);
    MUST(first);
    free(first);
    prove(__LINE__);
}

/* ---- the rest ---------------------------------------------------------------------------------
 */

static void *churn(void *stop)
{
    struct {
        unsigned char *memory;
        size_t size;
    } own[CHURNED] = {{NULL, 0}};
    unsigned state = (unsigned)(uintptr_t)&own >> 4;
    while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED)) {
        state = state * 1103515245 + 12345;
        unsigned i = (state >> 16) % CHURNED;
        size_t size = 2500 + (state >> 8) % 20000;
        if (own[i].memory)
            MUST(own[i].memory[0] == i && own[i].memory[own[i].size - 1] == i);
        if (own[i].memory && state >> 29 < 3) {
            free(own[i].memory);
            own[i].memory = NULL;
            continue;
        }
        own[i].memory = realloc(own[i].memory, size);
        own[i].size = size;
        memset(own[i].memory, (int)i, size);
    }
    for (unsigned i = 0; i < CHURNED; i++)
        free(own[i].memory);
    return NULL;
}

/* What is handed out afterwards is nobody else's. */
static void go_on(void)
{
    enum { MORE = 2000 };
    static unsigned char *more[MORE];
    for (unsigned i = 0; i < MORE; i++) {
        size_t size = 1 + i * 37 % 3000;
        more[i] = malloc(size);
        MUST(more[i]);
        memset(more[i], (int)i, size);
    }
    prove(__LINE__);
    for (unsigned i = 0; i < MORE; i++) {
        size_t size = 1 + i * 37 % 3000;
        for (size_t j = 0; j < size; j++)
            if (more[i][j] != (unsigned char)i) {
                printf("block %u of what came later was written\n", i);
                break;
            }
        free(more[i]);
    }
}

int main(int argc, char **argv)
{
    enum { THREADS = 16 };
    static int stop;
    pthread_t threads[THREADS];
    int count = atoi(argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("start");
    keep();
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, churn, &stop);
    if (argc == 2)
        twice();
    if (argc == 2 && count == 0)
        twice_alone();
    inside();
    foreign();
    sizes();
    alignments();
    nothing();
    go_on();
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    printf("end %u\n", calls);
    return 0;
}
