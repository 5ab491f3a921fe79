/* The timing loop of the mymalloc text: is mymalloc slower than malloc at any n?
 *
 *     bench-mymalloc-loop [RUNS [LARGEST]]
 *
 * n ints are allocated one by one, then freed, n = 100, 1000, ... LARGEST (default 10,000,000),
 * with malloc and with mymalloc in turn, RUNS times each (default 30), each run in a process of its
 * own, as the text's program is. Small loops are repeated within a run until it takes 100,000
 * blocks. Printed for each n: the medians in ns a block, and the median of the ratios of a run's
 * pair with its 95 % bootstrap interval. Status 1 if some interval reaches above 1. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "allocators/api/mymalloc.h"
#include "results/statistics.h"

enum { RUNS_MOST = 1000, BLOCKS_LEAST = 100000 };

static void quit(const char *sentence)
{
    fprintf(stderr, "bench-mymalloc-loop: %s\n", sentence);
    exit(2);
}

/* Volatile pointers: the compiler may not see that what is allocated is never read. */
static void *(*volatile loop_malloc)(size_t) = malloc;
static void (*volatile loop_free)(void *) = free;
static void *(*volatile loop_mymalloc)(int) = mymalloc;
static void (*volatile loop_myfree)(void *) = myfree;

static void run_malloc(int n)
{
    int **x = loop_malloc(sizeof(int *) * (size_t)n);
    for (int i = 0; i < n; i++)
        x[i] = loop_malloc(sizeof(int));
    for (int i = 0; i < n; i++)
        loop_free(x[i]);
    loop_free(x);
}

static void run_mymalloc(int n)
{
    int **x = loop_mymalloc((int)sizeof(int *) * n);
    for (int i = 0; i < n; i++)
        x[i] = loop_mymalloc(sizeof(int));
    for (int i = 0; i < n; i++)
        loop_myfree(x[i]);
    loop_myfree(x);
}

/* Processor time, so that what else the machine does stays out. */
static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ns a block */
static double time_loop(int n, bool mine)
{
    int times = n < BLOCKS_LEAST ? BLOCKS_LEAST / n : 1;
    uint64_t begun = cpu_ns();
    for (int i = 0; i < times; i++)
        (mine ? run_mymalloc : run_malloc)(n);
    return (double)(cpu_ns() - begun) / times / n;
}

static double time_apart(int n, bool mine)
{
    int ends[2];
    double ns = 0;
    if (pipe(ends))
        quit("no pipe");
    pid_t child = fork();
    if (child == 0) {
        if (mine)
            mymalloc_init();
        ns = time_loop(n, mine);
        _exit(write(ends[1], &ns, sizeof ns) != sizeof ns);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &ns, sizeof ns) != sizeof ns)
        quit("a run ended without a result: too little memory?");
    close(ends[0]);
    waitpid(child, NULL, 0);
    return ns;
}

/* Whether the interval stays at or below 1. */
static bool measure(int n, int runs)
{
    static double ns[2][RUNS_MOST];
    for (int run = 0; run < runs; run++)
        for (int turn = 0; turn < 2; turn++) {
            bool mine = (run + turn) % 2;
            ns[mine][run] = time_apart(n, mine);
        }
    struct interval ratio = statistics_ratio_paired(ns[1], ns[0], (size_t)runs, 1);
    bool holds = ratio.high <= 1;
    printf("%10d  %8.2f  %8.2f  %6.3f  [%.3f, %.3f]%s\n", n, statistics_median(ns[0], (size_t)runs),
           statistics_median(ns[1], (size_t)runs), ratio.ratio, ratio.low, ratio.high,
           holds ? "" : "  above 1");
    fflush(stdout);
    return holds;
}

int main(int argc, char **argv)
{
    int runs = argc > 1 ? atoi(argv[1]) : 30;
    int largest = argc > 2 ? atoi(argv[2]) : 10000000;
    bool all = true;
    if (argc > 3 || runs < 1 || runs > RUNS_MOST || largest < 100)
        quit("give from 1 to 1000 runs and the largest n, from 100 on");
    printf("%10s  %8s  %8s  %6s\n", "n", "malloc", "mymalloc", "ratio");
    for (long n = 100; n <= largest; n *= 10)
        all &= measure((int)n, runs);
    return all ? 0 : 1;
}
