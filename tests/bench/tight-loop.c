/* What the replay loop costs over direct calls.
 *
 *     bench-tight-loop TRACE [ROUNDS]
 *
 * Replays the same decoded windows, touching nothing, in three ways: a loop that calls malloc,
 * calloc, realloc and free directly, the player over `system` (the same library behind the hooks),
 * and the player over `null` (the floor). Each run is a fresh process; the three take turns, so
 * that whatever else the machine does falls on all alike. Time is the process's own, so that
 * waiting for a core is left out. Printed: medians and quartiles an operation, and the median of
 * the paired differences between player and direct loop, of which 1 ns is the most that is allowed.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "allocators/spec.h"
#include "harness/base/pages.h"
#include "harness/measure/player.h"
#include "harness/measure/window.h"

enum way { WAY_DIRECT, WAY_SYSTEM, WAY_NULL, WAYS };
static const char *const way_names[WAYS] = {"direct calls", "player, system", "player, null"};

enum { ROUNDS_MOST = 1000 };

static void fail(const char *sentence)
{
    fprintf(stderr, "tight-loop: %s\n", sentence);
    exit(EXIT_FAILURE);
}

static const uint64_t *direct_rare(void **refs, const uint64_t *op)
{
    struct operation operation;
    const uint64_t *next = op_read(op, &operation);
    void **slot = &refs[operation.object];
    if (operation.kind == OP_CALLOC)
        *slot = calloc(1, operation.size);
    else if (operation.kind == OP_REALLOC)
        *slot = realloc(*slot, operation.size);
    else if (operation.kind != OP_ALIGNED)
        *slot = malloc(operation.size);
    else if (posix_memalign(slot, operation.extra, operation.size))
        *slot = NULL;
    return next - 1;
}

static __attribute__((noinline)) void direct_run(void **refs, const uint64_t *op,
                                                 const uint64_t *end)
{
    for (; op < end; op++) {
        uint64_t word = *op;
        if (op_kind(word) == OP_FREE)
            free(refs[op_object(word)]);
        else if (op_kind(word) == OP_MALLOC)
            refs[op_object(word)] = malloc(op_size(word));
        else
            op = direct_rare(refs, op);
    }
}

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static struct heap *open_heap(enum way way)
{
    static struct spec spec;
    static struct region region;
    struct err err;
    struct heap *heap = NULL;
    if (spec_parse(&spec, way == WAY_NULL ? "null" : "system", &err) < 0 ||
        spec_create(&spec, &region, NULL, &heap, &err) < 0)
        fail(err.text);
    return heap;
}

/* Nanoseconds an operation. */
static double replay(const char *path, enum way way)
{
    struct trace_reader *reader;
    struct window window;
    struct err err;
    if (trace_reader_open(&reader, path, &err) < 0)
        fail(err.text);
    if (!trace_reader_summary(reader))
        fail("the trace has no footer");
    size_t capacity = window_capacity(trace_reader_summary(reader), WINDOW_WORDS);
    uint64_t *words = pages_map(capacity * sizeof *words);
    if (!words || window_init(&window, reader, words, capacity, false, &err) < 0)
        fail("no memory for a window");
    struct player player = {
        .heap = open_heap(way),
        .refs = pages_map((window.objects + (size_t)1) * sizeof(void *)),
    };
    double spent = 0, operations = 0;
    int status;
    while ((status = window_fill(&window, &err)) > 0) {
        double start = cpu_ns();
        if (way == WAY_DIRECT)
            direct_run(player.refs, words, words + window.count);
        else
            player_run(&player, words, words + window.count, TOUCH_NONE);
        spent += cpu_ns() - start;
        operations += (double)window.operations;
    }
    if (status < 0)
        fail(err.text);
    return spent / operations;
}

static void pin(void)
{
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(sched_getcpu(), &core);
    sched_setaffinity(0, sizeof core, &core);
}

static double replay_in_child(const char *path, enum way way, double *shared)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        *shared = replay(path, way);
        _exit(EXIT_SUCCESS);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
        fail("a replay did not come to its end");
    return *shared;
}

static int compare(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static void print_quartiles(const char *name, double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    printf("%-24s %7.2f ns/op   (quartiles %.2f to %.2f)\n", name, values[count / 2],
           values[count / 4], values[count * 3 / 4]);
}

int main(int argc, char **argv)
{
    static double seen[WAYS][ROUNDS_MOST], differences[ROUNDS_MOST];
    int rounds = argc == 3 ? atoi(argv[2]) : 21;
    if (argc < 2 || argc > 3 || rounds < 1 || rounds > ROUNDS_MOST)
        fail("usage: bench-tight-loop TRACE [ROUNDS, 1 to 1000]");
    if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE) && personality(ADDR_NO_RANDOMIZE) >= 0)
        execv("/proc/self/exe", argv);
    double *shared = pages_map(sizeof *shared);
    pin();
    for (int round = 0; round < rounds; round++) {
        for (int turn = 0; turn < WAYS; turn++) {
            enum way way = (enum way)(round % 2 ? WAYS - 1 - turn : turn);
            seen[way][round] = replay_in_child(argv[1], way, shared);
        }
        differences[round] = seen[WAY_SYSTEM][round] - seen[WAY_DIRECT][round];
    }
    for (int way = 0; way < WAYS; way++)
        print_quartiles(way_names[way], seen[way], rounds);
    print_quartiles("player less direct", differences, rounds);
    return EXIT_SUCCESS;
}
