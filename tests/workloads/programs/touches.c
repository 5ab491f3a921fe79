/* touches MODE: blocks of 64 MiB of which the first 1 MiB is touched, and their ends. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BIG = 64 << 20, TOUCHED = 1 << 20 };

static char *touch(char *block, size_t size)
{
    memset(block, 1, size);
    return block;
}

/* Another 1 MiB after it has grown; what fails leaves the block as it was. */
static void resize(void)
{
    char *block = touch(malloc(BIG), TOUCHED);
    block = realloc(block, 2 * (size_t)BIG);
    touch(block + BIG, TOUCHED);
    if (realloc(block, (size_t)-1 / 4))
        abort();
    touch(block + BIG + TOUCHED, TOUCHED);
    free(block);
}

/* The same pages again and again, from malloc whole, from calloc and again from malloc a tenth. */
static void recycle(void)
{
    mallopt(M_MMAP_THRESHOLD, BIG);
    mallopt(M_TRIM_THRESHOLD, BIG);
    for (int i = 0; i < 10; i++) {
        free(touch(malloc(TOUCHED), TOUCHED));
        char *block = calloc(1, TOUCHED);
        for (int at = 0; at < TOUCHED / 10; at++)
            if (block[at])
                abort();
        free(block);
        block = malloc(TOUCHED);
        free(touch(block, TOUCHED / 10));
    }
}

static void churn(void)
{
    mallopt(M_MMAP_THRESHOLD, BIG);
    for (int i = 0; i < 200000; i++)
        free(malloc(32 << 10));
}

static long long processor_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Each lives but a moment: of the time in between, a twentieth is enough to look at places of it,
 * and much too little to look at all of its pages. */
static void huge(void)
{
    enum { HUGE = 1 << 30, COUNT = 60, BETWEEN_NS = 6000000 };
    for (int i = 0; i < COUNT; i++) {
        free(touch(malloc(HUGE), TOUCHED));
        for (long long end = processor_ns() + BETWEEN_NS; processor_ns() < end;)
            continue;
    }
}

static void *release(void *block)
{
    free(block);
    return NULL;
}

static void hand_over(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, release, touch(malloc(BIG), TOUCHED));
    pthread_join(thread, NULL);
}

static void fork_child(void)
{
    char *mine = touch(malloc(BIG), TOUCHED);
    if (fork() == 0) {
        touch(mine, 3 * TOUCHED);
        touch(malloc(BIG), 2 * TOUCHED);
        _exit(0);
    }
    wait(NULL);
    free(mine);
}

/* A quarter written, a quarter read. */
static void only_read(void)
{
    volatile char *block = touch(calloc(1, BIG), BIG / 4);
    for (size_t at = BIG / 2; at < BIG / 4 * 3; at += 4096)
        if (block[at])
            abort();
    free((void *)block);
}

static void keep_errno(void)
{
    errno = 77;
    char *block = touch(malloc(BIG), TOUCHED);
    free(block);
    if (errno != 77)
        abort();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"resize", resize},       {"recycle", recycle}, {"churn", churn},
                 {"hand-over", hand_over}, {"fork", fork_child}, {"read", only_read},
                 {"errno", keep_errno},    {"huge", huge}};
    const char *mode = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(mode, modes[i].name) == 0) {
            modes[i].run();
            return 0;
        }
    char *block = touch(strcmp(mode, "calloc") == 0    ? calloc(1, BIG)
                        : strcmp(mode, "aligned") == 0 ? aligned_alloc(1 << 16, BIG)
                                                       : malloc(BIG),
                        TOUCHED);
    if (strcmp(mode, "_exit") == 0)
        _exit(0);
    if (strcmp(mode, "quick_exit") == 0)
        quick_exit(0);
    if (strcmp(mode, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(mode, "exec") == 0)
        execv(argv[0], (char *[]){argv[0], "keep", NULL});
    if (strcmp(mode, "execl") == 0)
        execl(argv[0], argv[0], "keep", NULL);
    if (strcmp(mode, "execle") == 0)
        execle(argv[0], argv[0], "keep", NULL, environ);
    if (strcmp(mode, "execlp") == 0)
        execlp(argv[0], argv[0], "keep", NULL);
    if (strcmp(mode, "keep") != 0)
        free(block);
    return 0;
}
