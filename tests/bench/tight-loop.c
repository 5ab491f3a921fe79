/* What the replay loop adds: the player on `system` against a loop of direct calls over the same
 * decoded operations, and the player on `null`. Fresh processes, in turn; medians and spreads.
 *
 *   build/tests/bench-tight-loop TRACE [ROUNDS] */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocators/region.h"
#include "allocators/spec.h"
#include "harness/base/clock.h"
#include "harness/base/pages.h"
#include "harness/measure/player.h"
#include "harness/measure/window.h"

enum way { DIRECT, PLAYED, NOTHING, WAYS };

static const char *const way_names[WAYS] = {"direct calls", "player on system", "player on null"};

struct replay {
    struct trace_reader *reader;
    struct window window;
    void **refs;
};

static void fail(const struct err *err)
{
    fprintf(stderr, "tight-loop: %s\n", err->text);
    _exit(2);
}

static void replay_init(struct replay *replay, const char *path)
{
    struct err err = {0};
    if (trace_reader_open(&replay->reader, path, &err))
        fail(&err);
    size_t words = window_capacity(trace_reader_summary(replay->reader), WINDOW_WORDS);
    uint64_t *memory = pages_map(words * sizeof *memory);
    if (window_init(&replay->window, replay->reader, memory, words, false, &err))
        fail(&err);
    replay->refs = pages_map((replay->window.objects + (size_t)1) * sizeof *replay->refs);
}

/* The loop that a person would write for one allocator. */
static void direct_run(void **refs, const uint64_t *op, const uint64_t *end)
{
    while (op < end) {
        uint64_t word = *op;
        void **slot = &refs[op_object(word)];
        if (op_kind(word) == OP_FREE) {
            free(*slot);
            op++;
        } else if (op_kind(word) == OP_MALLOC) {
            *slot = malloc(op_size(word));
            op++;
        } else {
            struct operation operation;
            op = op_read(op, &operation);
            if (operation.kind == OP_CALLOC)
                *slot = calloc(1, operation.size);
            else if (operation.kind == OP_REALLOC)
                *slot = realloc(*slot, operation.size);
            else if (operation.kind == OP_ALIGNED)
                *slot = memalign(operation.extra, operation.size);
            else
                *slot = malloc(operation.size);
        }
    }
}

static struct heap *heap_of(const char *name)
{
    static struct spec spec; /* of a process that makes one heap */
    static struct region region;
    struct heap *heap = NULL;
    struct err err = {0};
    if (spec_parse(&spec, name, &err) || spec_create(&spec, &region, NULL, &heap, &err))
        fail(&err);
    return heap;
}

static double replay_run(struct replay *replay, enum way way)
{
    const uint64_t *at = NULL;
    struct window *window = &replay->window;
    struct player player = {.refs = replay->refs, .at = &at};
    if (way != DIRECT)
        player.heap = heap_of(way == PLAYED ? "system" : "null");
    struct err err = {0};
    uint64_t spent = 0, operations = 0;
    int status;
    while ((status = window_fill(window, &err)) > 0) {
        uint64_t start = clock_ns();
        if (way == DIRECT)
            direct_run(replay->refs, window->words, window->words + window->count);
        else
            player_run(&player, window->words, window->words + window->count, TOUCH_NONE);
        spent += clock_ns() - start;
        operations += window->operations;
    }
    if (status < 0)
        fail(&err);
    return (double)spent / (double)operations;
}

static double measure(const char *path, enum way way)
{
    double *shared = pages_map(sizeof *shared);
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct replay replay = {0};
        replay_init(&replay, path);
        *shared = replay_run(&replay, way);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        exit(2);
    double ns = *shared;
    pages_unmap(shared, sizeof *shared);
    return ns;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    enum { MOST = 200 };
    static double ns[WAYS][MOST], extra[MOST];
    int rounds = argc > 2 ? atoi(argv[2]) : 15;
    if (argc < 2 || rounds < 1 || rounds > MOST) {
        fprintf(stderr, "usage: tight-loop TRACE [ROUNDS up to %d]\n", MOST);
        return 2;
    }
    for (int i = 0; i < rounds; i++) {
        for (int way = 0; way < WAYS; way++) {
            int turn = (way + i) % WAYS;
            ns[turn][i] = measure(argv[1], (enum way)turn);
        }
        extra[i] = ns[PLAYED][i] - ns[DIRECT][i];
    }
    qsort(extra, (size_t)rounds, sizeof *extra, by_value);
    for (int way = 0; way < WAYS; way++) {
        qsort(ns[way], (size_t)rounds, sizeof **ns, by_value);
        printf("%-18s median %6.2f ns an operation, from %.2f to %.2f\n", way_names[way],
               ns[way][rounds / 2], ns[way][0], ns[way][rounds - 1]);
    }
    printf("%-18s median %6.2f ns, from %.2f to %.2f; of the smallest: %.2f\n", "player - direct",
           extra[rounds / 2], extra[0], extra[rounds - 1], ns[PLAYED][0] - ns[DIRECT][0]);
    return 0;
}
