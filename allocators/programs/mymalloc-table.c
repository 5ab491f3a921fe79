/* The timing loop of the mymalloc text: n ints allocated one by one, then freed, with malloc and
 * with mymalloc, n = 100, 1000, ...; the medians of runs that alternate. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mymalloc.h"

enum { RUNS_MAX = 1000 };

struct pair {
    double seconds[2][RUNS_MAX]; /* malloc, mymalloc */
};

/* Volatile pointers: the compiler may not see that what is allocated is never read. */
static void *(*volatile table_malloc)(size_t) = malloc;
static void (*volatile table_free)(void *) = free;
static void *(*volatile table_mymalloc)(int) = mymalloc;
static void (*volatile table_myfree)(void *) = myfree;

static double table_seconds(const struct timespec *start)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (double)(end.tv_sec - start->tv_sec) + 1e-9 * (double)(end.tv_nsec - start->tv_nsec);
}

/* Both loops are the text's, word for word but for the names. Negative: out of memory. */
static double table_time_malloc(int n)
{
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int **x = table_malloc(sizeof(int *) * (size_t)n);
    if (!x)
        return -1;
    for (int i = 0; i < n; i++)
        x[i] = table_malloc(sizeof(int));
    for (int i = 0; i < n; i++)
        table_free(x[i]);
    table_free(x);
    return table_seconds(&start);
}

static double table_time_mymalloc(int n)
{
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int **x = table_mymalloc((int)sizeof(int *) * n);
    if (!x)
        return -1;
    for (int i = 0; i < n; i++)
        x[i] = table_mymalloc(sizeof(int));
    for (int i = 0; i < n; i++)
        table_myfree(x[i]);
    table_myfree(x);
    return table_seconds(&start);
}

static int table_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double table_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, table_compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int table_row(int n, int runs)
{
    static struct pair pair;
    for (int run = 0; run < runs; run++)
        for (int turn = 0; turn < 2; turn++) {
            int which = (run + turn) % 2;
            double seconds = which ? table_time_mymalloc(n) : table_time_malloc(n);
            if (seconds < 0) {
                fprintf(stderr, "mymalloc-table: no memory for %d blocks\n", n);
                return 1;
            }
            pair.seconds[which][run] = seconds;
        }
    double one = table_median(pair.seconds[0], runs), other = table_median(pair.seconds[1], runs);
    printf("%10d  %12.6f  %12.6f  %8.3f\n", n, one, other, other / one);
    fflush(stdout);
    return 0;
}

static int table_usage(FILE *out, int status)
{
    fprintf(out,
            "Usage: mymalloc-table [RUNS [LARGEST]]\n"
            "Times n = 100, 1000, ... LARGEST ints (default 10000000) allocated and freed with\n"
            "malloc and with mymalloc, RUNS times (default 5) in turn; prints the medians in\n"
            "seconds and their ratio.\n");
    return status;
}

static int table_number(const char *text, long most)
{
    char *end;
    long value = strtol(text, &end, 10);
    return *text && !*end && value > 0 && value <= most ? (int)value : 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return table_usage(stdout, 0);
    int runs = argc > 1 ? table_number(argv[1], RUNS_MAX) : 5;
    int largest = argc > 2 ? table_number(argv[2], INT_MAX / (int)sizeof(int *)) : 10000000;
    if (argc > 3 || runs == 0 || largest == 0)
        return table_usage(stderr, 2);
    mymalloc_init();
    printf("%10s  %12s  %12s  %8s\n", "n", "malloc", "mymalloc", "ratio");
    for (long n = 100; n <= largest; n *= 10)
        if (table_row((int)n, runs) != 0)
            return 1;
    mymalloc_destroy();
    return 0;
}
