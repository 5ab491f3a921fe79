/* What a worker takes from its start to its end, an operation.
 *
 *     bench-whole_process TRACE [ROUNDS [SPEC]]
 *
 * Runs throughput cells (of `null` unless said otherwise) as `bench run` does, and prints medians
 * and quartiles of the wall time of the process, of the processor time that it took, and of the
 * replay loop in it. On a machine with other work the processor time is the one to believe. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "harness/cell.h"

enum { ROUNDS_MOST = 1000 };

static void quit(const char *sentence)
{
    fprintf(stderr, "whole_process: %s\n", sentence);
    exit(2);
}

static double cpu_ns(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

static int compare(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static void print_quartiles(const char *name, double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    printf("%-16s %7.2f ns/op   (least %.2f, quartiles %.2f to %.2f)\n", name, values[count / 2],
           values[0], values[count / 4], values[count * 3 / 4]);
}

int main(int argc, char **argv)
{
    static double wall[ROUNDS_MOST], cpu[ROUNDS_MOST], loop[ROUNDS_MOST];
    int rounds = argc > 2 ? atoi(argv[2]) : 21;
    if (argc < 2 || argc > 4 || rounds < 1 || rounds > ROUNDS_MOST)
        quit("usage: bench-whole_process TRACE [ROUNDS, 1 to 1000 [SPEC]]");
    const struct cell cell = {.allocator = argc > 3 ? argv[3] : "null",
                              .trace_path = argv[1],
                              .trace_name = "trace",
                              .pass = PASS_THROUGHPUT,
                              .touch = TOUCH_NONE,
                              .threads = 1,
                              .processes = 1};
    for (int round = 0; round < rounds; round++) {
        static struct cell_result result;
        struct err err = {0};
        double before = cpu_ns();
        if (cell_measure(&cell, NULL, NULL, &result, &err))
            quit(err.text);
        if (result.operations == 0 || result.operations == COUNT_UNKNOWN)
            quit(result.detail);
        cpu[round] = (cpu_ns() - before) / (double)result.operations;
        wall[round] = (double)result.wall_ns / (double)result.operations;
        loop[round] = result.ns_per_op;
    }
    print_quartiles("wall", wall, rounds);
    print_quartiles("processor time", cpu, rounds);
    print_quartiles("of that, replay", loop, rounds);
    return 0;
}
