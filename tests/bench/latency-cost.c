/* What timing single calls costs, and whether what it tells is true.
 *
 *     bench-latency-cost TRACE [ROUNDS]
 *
 * First, calls of a known length: an allocation that is a chain of so many dependent
 * multiplications. Beside what the whole loop takes a call, without a clock in it, stands what the
 * stamps tell of one call, less what they tell of a call that does nothing: the two must go up
 * alike.
 *
 * Then the trace over `system`, touched by the page, in processes that take turns: without a clock,
 * with every call timed, and with one in 100 and in 1,000. Time is the process's own. Told are
 * medians and quartiles of what each adds to the round's own replay without a clock. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "allocators/spec.h"
#include "harness/base/pages.h"
#include "harness/measure/crew.h"
#include "harness/measure/timer.h"

enum way { WAY_UNTIMED, WAY_TIMED, WAY_100, WAY_1000, WAYS };
static const char *const way_names[WAYS] = {"no clock", "every call timed", "one in 100",
                                            "one in 1,000"};
static const unsigned way_every[WAYS] = {0, 1, 100, 1000};

enum { ROUNDS_MOST = 1000 };

static void fail(const char *sentence)
{
    fprintf(stderr, "latency-cost: %s\n", sentence);
    exit(EXIT_FAILURE);
}

static int compare(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

/* ---- calls of a known length ----------------------------------------------------------------- */

struct chain {
    struct heap heap;
    unsigned length;
    uint64_t product;
};

static void *chain_alloc(struct heap *heap, size_t size)
{
    struct chain *chain = (struct chain *)heap;
    uint64_t product = size;
    for (unsigned i = 0; i < chain->length; i++) {
        product *= 0x9e3779b97f4a7c15;
        __asm__ volatile("" : "+r"(product));
    }
    chain->product = product;
    return chain;
}

static void chain_free(struct heap *heap, void *ref)
{
    (void)heap;
    (void)ref;
}

enum { PAIRS = 2048 };

static double chain_told(const struct timer *timer, const uint64_t *ticks)
{
    double told[PAIRS];
    for (size_t i = 0; i < PAIRS; i++)
        told[i] = (double)player_ticks(ticks[2 * i]) * timer->ns_per_tick;
    qsort(told, PAIRS, sizeof *told, compare);
    return told[PAIRS / 2];
}

/* The quickest of several, since nothing makes a loop shorter than it is. */
static double chain_loop(struct player *player, const uint64_t *words)
{
    double quickest = 1e18;
    for (int i = 0; i < 20; i++) {
        uint64_t start = clock_ns();
        player_run(player, words, words + 2 * PAIRS, TOUCH_NONE);
        double spent = (double)(clock_ns() - start) / PAIRS;
        quickest = spent < quickest ? spent : quickest;
    }
    return quickest;
}

static void chains_measure(void)
{
    static const struct allocator table = {.alloc = chain_alloc, .free = chain_free};
    static const unsigned lengths[] = {0, 8, 16, 32, 64, 128, 256, 1024};
    struct chain chain = {.heap.ops = &table};
    uint64_t words[2 * PAIRS], ticks[2 * PAIRS];
    void *ref = NULL;
    struct player player = {.heap = &chain.heap, .refs = &ref};
    struct timer timer;
    for (size_t i = 0; i < 2 * PAIRS; i++)
        words[i] = i % 2 ? OP_FREE : UINT64_C(16) << OP_KIND_BITS | OP_MALLOC;
    timer_init(&timer);
    double cost = (double)player_clock_cost(timer.clock) * timer.ns_per_tick, empty = 0;
    printf("%s clock; a call that does nothing is told as %.1f ns\n", clock_names[timer.clock],
           cost);
    printf("%8s %12s %12s\n", "chain", "loop, ns", "told, ns");
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        chain.length = lengths[i];
        double loop = chain_loop(&player, words);
        empty = i == 0 ? loop : empty;
        player_run_timed(&player, words, words + 2 * PAIRS, TOUCH_NONE, timer.clock, ticks);
        printf("%8u %12.1f %12.1f\n", lengths[i], loop - empty, chain_told(&timer, ticks) - cost);
    }
}

/* ---- a trace --------------------------------------------------------------------------------- */

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static struct heap *open_heap(void)
{
    static struct spec spec;
    static struct region region;
    struct err err;
    struct heap *heap = NULL;
    if (spec_parse(&spec, "system", &err) < 0 || spec_create(&spec, &region, NULL, &heap, &err) < 0)
        fail(err.text);
    return heap;
}

static void open_window(struct window *window, const char *path)
{
    struct trace_reader *reader;
    struct err err;
    if (trace_reader_open(&reader, path, &err) < 0)
        fail(err.text);
    if (!trace_reader_summary(reader))
        fail("the trace has no footer");
    size_t capacity = window_capacity(trace_reader_summary(reader), WINDOW_WORDS / 2);
    uint64_t *words = pages_map(capacity * sizeof *words);
    if (!words || window_init(window, reader, words, capacity, false, &err) < 0)
        fail("no memory for a window");
}

/* Nanoseconds an operation. */
static double replay(const char *path, enum way way)
{
    struct window window;
    struct lane lane = {0};
    struct crew crew;
    struct err err;
    open_window(&window, path);
    const struct crew_plan plan = {.lanes = &lane,
                                   .count = 1,
                                   .objects = window.objects + (size_t)1,
                                   .capacity = window.capacity,
                                   .timed = way != WAY_UNTIMED,
                                   .every = way_every[way]};
    uint64_t *ticks = pages_map(window.capacity * sizeof *ticks);
    if (!ticks || crew_init(&crew, &plan, &err) < 0)
        fail("no memory for time stamps");
    const struct crew_heap to = {
        .heap = open_heap(),
        .refs = pages_map(crew_refs(&crew, plan.objects) * sizeof(void *)),
        .touch = TOUCH_PAGE,
    };
    crew_start(&crew);
    if (crew_enter(&crew, &to, &err) < 0)
        fail(err.text);
    double spent = 0, operations = 0;
    while (window_fill(&window, &err) > 0) {
        crew_split(&crew, &window);
        double start = cpu_ns();
        if (way == WAY_UNTIMED)
            crew_play(&crew);
        else
            crew_play_timed(&crew, CLOCK_COUNTER, ticks);
        spent += cpu_ns() - start;
        operations += (double)window.operations;
    }
    return spent / operations;
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

static void print_quartiles(const char *name, double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    printf("%-18s %8.2f ns/op   (quartiles %.2f to %.2f)\n", name, values[count / 2],
           values[count / 4], values[count * 3 / 4]);
}

int main(int argc, char **argv)
{
    static double seen[WAYS][ROUNDS_MOST];
    int rounds = argc == 3 ? atoi(argv[2]) : 21;
    if (argc < 2 || argc > 3 || rounds < 1 || rounds > ROUNDS_MOST)
        fail("usage: bench-latency-cost TRACE [ROUNDS, 1 to 1000]");
    if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE) && personality(ADDR_NO_RANDOMIZE) >= 0)
        execv("/proc/self/exe", argv);
    chains_measure();
    double *shared = pages_map(sizeof *shared);
    for (int round = 0; round < rounds; round++) {
        for (int turn = 0; turn < WAYS; turn++) {
            enum way way = (enum way)(round % 2 ? WAYS - 1 - turn : turn);
            seen[way][round] = replay_in_child(argv[1], way, shared);
        }
        for (int way = WAY_TIMED; way < WAYS; way++)
            seen[way][round] -= seen[WAY_UNTIMED][round];
    }
    printf("\n");
    for (int way = 0; way < WAYS; way++)
        print_quartiles(way_names[way], seen[way], rounds);
    printf("(all but the first: what they add)\n");
    return EXIT_SUCCESS;
}
