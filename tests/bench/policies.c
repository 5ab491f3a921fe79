/* How fast placement is: backends against the C library's malloc over traces and made-up streams.
 *
 *     bench-policies [-a SPEC,...] [-n ROUNDS] [-r MIB] [-fgtw] TRACE|STREAM...
 *
 * What a stream may be stands in support/streams.h. Each replay runs in a child process of its own
 * over a shared, decoded stream; streams and specs take turns in every round. Printed are the
 * ns/op, the least of all rounds for each of 128 slices of the stream, its ratio to the first
 * spec's, the range of that ratio over the rounds, the ns/op of the second half of the stream, and
 * of the best round what the kernel took and the page faults. With -t only a table of geometric
 * means. With -g, instead of those, how often the time of the stream before it a spec takes on
 * each: churn:1000 churn:10000 churn:100000 tells what ten times the live set costs; what that
 * second half took is without most of the pages' first faults. With -f the rows tell what it costs
 * only to write 8 bytes before each block when it is allocated and when it is freed, where those
 * allocators put it: no allocator with headers is below that. With -w the first word of each block
 * is written when it is allocated and read when it is freed, as programs do at least: what a cache
 * costs that is too small for the stream is then in every row, and not only in those of allocators
 * with headers. With -r the region has so many MiB, since valgrind cannot reserve the usual 64 GiB.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "allocators/region.h"
#include "allocators/spec.h"
#include "harness/base/pages.h"
#include "tests/bench/support/streams.h"

enum { SPECS_MAX = 16, STREAMS_MAX = 16, ROUNDS_MAX = 64 };

struct options {
    const char *specs[SPECS_MAX];
    size_t spec_count;
    int rounds;
    bool terse;
    bool touch;
    bool growth;
    bool bare;
    size_t region; /* bytes */
};

static void quit(const char *sentence)
{
    fprintf(stderr, "bench-policies: %s\n", sentence);
    exit(2);
}

/* ---- replay ---------------------------------------------------------------------------------- */

/* As the harness's own loop does: what its table of refs takes is no time of the calls. */
static inline void fetch_ahead(const struct operation *operation, const struct operation *end,
                               void **refs)
{
    const struct operation *ahead = end - operation > 8 ? operation + 8 : operation;
    __builtin_prefetch(&refs[ahead->object], 1);
}

static void *replay_alloc(struct heap *heap, const struct operation *operation, void *old)
{
    if (operation->kind == TRACE_MALLOC)
        return heap_alloc(heap, operation->size);
    if (operation->kind != TRACE_REALLOC)
        return heap_zalloc(heap, operation->size);
    return operation->old ? heap_realloc(heap, old, operation->old, operation->size)
                          : heap_alloc(heap, operation->size);
}

static void replay(struct heap *heap, const struct operation *operation,
                   const struct operation *end, void **refs)
{
    for (; operation < end; operation++) {
        void **ref = &refs[operation->object];
        fetch_ahead(operation, end, refs);
        if (operation->kind == TRACE_FREE)
            heap_free(heap, *ref);
        else
            *ref = replay_alloc(heap, operation, *ref);
    }
}

static void replay_touching(struct heap *heap, const struct operation *operation,
                            const struct operation *end, void **refs)
{
    for (; operation < end; operation++) {
        void **ref = &refs[operation->object];
        fetch_ahead(operation, end, refs);
        if (operation->kind == TRACE_FREE) {
            (void)*(volatile char *)heap_resolve(heap, *ref);
            heap_free(heap, *ref);
        } else {
            *ref = replay_alloc(heap, operation, *ref);
            *(volatile char *)heap_resolve(heap, *ref) = 1;
        }
    }
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

/* Processor time, so that what else the machine does stays out. */
static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A stream is timed in slices. What the machine does besides disturbs a few slices of each round,
 * and others in the next: the least of every slice is what the stream itself takes. */
enum { SLICES = 128 };

struct cost {
    double slice[SLICES]; /* ns */
    double system;        /* of an operation's, in the kernel */
    long faults;
};

struct cost_clock {
    struct rusage before;
    uint64_t begun; /* the slice under way */
};

static void cost_begin(struct cost_clock *clock)
{
    getrusage(RUSAGE_SELF, &clock->before);
    clock->begun = cpu_ns();
}

static double cost_slice(struct cost_clock *clock)
{
    uint64_t begun = clock->begun;
    clock->begun = cpu_ns();
    return (double)(clock->begun - begun);
}

static void cost_end(const struct cost_clock *clock, const struct stream *stream, struct cost *cost)
{
    struct rusage after;
    getrusage(RUSAGE_SELF, &after);
    cost->system =
        (seconds(after.ru_stime) - seconds(clock->before.ru_stime)) * 1e9 / (double)stream->count;
    cost->faults = after.ru_minflt - clock->before.ru_minflt;
}

/* Where a slice begins, and where the one before it ends. */
static size_t slice_from(const struct stream *stream, size_t slice)
{
    return stream->count * slice / SLICES;
}

static struct cost replay_cost(const char *text, const struct stream *stream,
                               const struct options *options)
{
    struct cost cost;
    struct cost_clock clock;
    struct spec spec;
    struct region region = {0};
    struct heap *heap = NULL;
    struct err err;
    void **refs = pages_map(stream->objects * sizeof *refs);
    if (!refs || spec_parse(&spec, text, &err) || region_init(&region, options->region, &err) ||
        spec_create_in(&spec, &region, NULL, &heap, &err))
        quit(refs ? err.text : "no memory");
    cost_begin(&clock);
    for (size_t i = 0; i < SLICES; i++) {
        (options->touch ? replay_touching
                        : replay)(heap, stream->operations + slice_from(stream, i),
                                  stream->operations + slice_from(stream, i + 1), refs);
        cost.slice[i] = cost_slice(&clock);
    }
    cost_end(&clock, stream, &cost);
    return cost;
}

/* ---- the floor ------------------------------------------------------------------------------- */

/* Where the allocations of the stream lie in the region, counted from its start. */
static size_t *floor_places(const char *text, const struct stream *stream,
                            const struct options *options)
{
    struct spec spec;
    struct region region = {0};
    struct heap *heap = NULL;
    struct err err;
    void **refs = pages_map(stream->objects * sizeof *refs);
    size_t *places = pages_map(stream->count * sizeof *places);
    if (!refs || !places || spec_parse(&spec, text, &err) ||
        region_init(&region, options->region, &err) ||
        spec_create_in(&spec, &region, NULL, &heap, &err))
        quit(refs && places ? err.text : "no memory");
    for (size_t i = 0; i < stream->count; i++) {
        void **ref = &refs[stream->operations[i].object];
        if (stream->operations[i].kind == TRACE_FREE) {
            heap_free(heap, *ref);
            continue;
        }
        *ref = replay_alloc(heap, &stream->operations[i], *ref);
        places[i] = (size_t)((char *)heap_resolve(heap, *ref) - region.base);
        if (places[i] < 8 || places[i] >= region.reserved)
            quit("a floor is there for what places blocks in its region");
    }
    pages_unmap(refs, stream->objects * sizeof *refs);
    region_release(&region);
    return places;
}

static void floor_replay(const struct stream *stream, size_t from, size_t to, const size_t *places,
                         char *memory, void **refs)
{
    const struct operation *end = stream->operations + to;
    for (size_t i = from; i < to; i++) {
        void **ref = &refs[stream->operations[i].object];
        fetch_ahead(&stream->operations[i], end, refs);
        if (stream->operations[i].kind != TRACE_FREE)
            *ref = memory + places[i];
        *((volatile uint64_t *)*ref - 1) = i;
    }
}

/* What it costs to write 8 bytes before each block when it is allocated and when it is freed, where
 * that allocator has put it, and nothing else. */
static struct cost floor_cost(const char *text, const struct stream *stream,
                              const struct options *options)
{
    struct cost cost;
    struct cost_clock clock;
    size_t *places = floor_places(text, stream, options);
    void **refs = pages_map(stream->objects * sizeof *refs);
    char *memory = mmap(NULL, options->region, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!refs || memory == MAP_FAILED)
        quit("no memory");
    cost_begin(&clock);
    for (size_t i = 0; i < SLICES; i++) {
        floor_replay(stream, slice_from(stream, i), slice_from(stream, i + 1), places, memory,
                     refs);
        cost.slice[i] = cost_slice(&clock);
    }
    cost_end(&clock, stream, &cost);
    return cost;
}

static struct cost child_cost(const char *text, const struct stream *stream,
                              const struct options *options)
{
    int ends[2];
    struct cost cost = {0};
    if (pipe(ends))
        quit("no pipe");
    pid_t child = fork();
    if (child == 0) {
        cost = (options->bare ? floor_cost : replay_cost)(text, stream, options);
        _exit(write(ends[1], &cost, sizeof cost) != sizeof cost);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &cost, sizeof cost) != sizeof cost)
        quit("a replay ended without a result");
    close(ends[0]);
    waitpid(child, NULL, 0);
    return cost;
}

/* ---- the table ------------------------------------------------------------------------------- */

/* What one spec took on one stream. */
struct row {
    double total[ROUNDS_MAX]; /* ns of each round */
    struct cost least;        /* of each slice; the rest of the best round */
};

/* The ns of the slices from `from` on. */
static double cost_from(const struct cost *cost, size_t from)
{
    double ns = 0;
    for (size_t i = from; i < SLICES; i++)
        ns += cost->slice[i];
    return ns;
}

static double row_ns(const struct row *row, const struct stream *stream)
{
    return cost_from(&row->least, 0) / (double)stream->count;
}

static double row_later_ns(const struct row *row, const struct stream *stream)
{
    return 2 * cost_from(&row->least, SLICES / 2) / (double)stream->count;
}

static void row_add(struct row *row, int round, const struct cost *cost)
{
    struct cost least = row->least;
    row->total[round] = cost_from(cost, 0);
    bool best = true;
    for (int i = 0; i < round; i++)
        best &= row->total[round] < row->total[i];
    if (best)
        row->least = *cost;
    for (size_t i = 0; i < SLICES && round > 0; i++)
        row->least.slice[i] = least.slice[i] < cost->slice[i] ? least.slice[i] : cost->slice[i];
}

struct range {
    double low, high;
};

/* Of the ratios of two rows, round by round. */
static struct range row_range(const struct row *row, const struct row *to, int rounds)
{
    struct range range = {HUGE_VAL, 0};
    for (int round = 0; round < rounds; round++) {
        double ratio = row->total[round] / to->total[round];
        range.low = ratio < range.low ? ratio : range.low;
        range.high = ratio > range.high ? ratio : range.high;
    }
    return range;
}

/* Everything takes turns, so that what the machine does besides is in all of it alike. */
static void measure(const struct options *options, const struct stream *streams, size_t count,
                    struct row rows[][SPECS_MAX])
{
    for (int round = 0; round < options->rounds; round++)
        for (size_t j = 0; j < count; j++)
            for (size_t i = 0; i < options->spec_count; i++) {
                size_t spec = (i + (size_t)round) % options->spec_count;
                struct cost cost = child_cost(options->specs[spec], &streams[j], options);
                row_add(&rows[j][spec], round, &cost);
            }
}

static void print_stream(const struct options *options, const struct stream *stream,
                         const struct row *rows)
{
    for (size_t i = 0; i < options->spec_count; i++) {
        struct range range = row_range(&rows[i], &rows[0], options->rounds);
        double ns = row_ns(&rows[i], stream);
        printf("%-16s %-24s %8.2f ns/op %6.3f  [%.3f, %.3f]  %8.2f later  %6.2f in the kernel, "
               "%ld faults\n",
               stream->name, options->specs[i], ns, ns / row_ns(&rows[0], stream), range.low,
               range.high, row_later_ns(&rows[i], stream), rows[i].least.system,
               rows[i].least.faults);
    }
}

static void print_means(const struct options *options, const struct stream *streams,
                        struct row rows[][SPECS_MAX], size_t count)
{
    for (size_t i = 0; i < options->spec_count; i++) {
        double logs = 0;
        for (size_t j = 0; j < count; j++)
            logs += log(row_ns(&rows[j][i], &streams[j]) / row_ns(&rows[j][0], &streams[j]));
        printf("%-16s %-24s %21.3f\n", "geometric mean", options->specs[i],
               exp(logs / (double)count));
    }
}

/* How often the ns of a spec on the stream before it each takes: of the least, over the rounds, and
 * of the least of the second half. */
static void print_growth(const struct options *options, const struct stream *streams,
                         struct row rows[][SPECS_MAX], size_t count)
{
    for (size_t j = 1; j < count; j++)
        for (size_t i = 0; i < options->spec_count; i++) {
            const struct row *before = &rows[j - 1][i], *here = &rows[j][i];
            const struct stream *first = &streams[j - 1], *second = &streams[j];
            double scale = (double)first->count / (double)second->count;
            struct range range = row_range(here, before, options->rounds);
            printf("%-16s %-24s %8.2f times %s's ns/op  [%.2f, %.2f], %.2f later\n", second->name,
                   options->specs[i], row_ns(here, second) / row_ns(before, first), first->name,
                   range.low * scale, range.high * scale,
                   row_later_ns(here, second) / row_later_ns(before, first));
        }
}

static void read_specs(struct options *options, const char *list)
{
    static char texts[SPECS_MAX][SPEC_TEXT];
    options->spec_count = 0;
    while (options->spec_count < SPECS_MAX &&
           (list = spec_next(list, texts[options->spec_count])) != NULL) {
        options->specs[options->spec_count] = texts[options->spec_count];
        options->spec_count++;
    }
}

int main(int argc, char **argv)
{
    struct options options = {.rounds = 5, .region = REGION_DEFAULT};
    int option;
    read_specs(&options, "system,first-fit,best-fit,next-fit,worst-fit,buddy");
    while ((option = getopt(argc, argv, "a:fgn:r:tw")) != -1) {
        if (option == 'a')
            read_specs(&options, optarg);
        else if (option == 'n')
            options.rounds = atoi(optarg);
        else if (option == 'r')
            options.region = strtoull(optarg, NULL, 10) << 20;
        else if (option == 't')
            options.terse = true;
        else if (option == 'w')
            options.touch = true;
        else if (option == 'f')
            options.bare = true;
        else if (option == 'g')
            options.growth = true;
        else
            return 2;
    }
    if (options.rounds < 1 || options.rounds > ROUNDS_MAX || optind == argc ||
        argc - optind > STREAMS_MAX)
        quit("give from 1 to 64 rounds (-n) and from 1 to 16 traces or streams");
    static struct row rows[STREAMS_MAX][SPECS_MAX];
    struct stream streams[STREAMS_MAX];
    struct err err;
    size_t count = (size_t)(argc - optind);
    for (size_t j = 0; j < count; j++)
        if (stream_make(&streams[j], argv[(size_t)optind + j], &err))
            quit(err.text);
    measure(&options, streams, count, rows);
    for (size_t j = 0; j < count && !options.terse; j++)
        print_stream(&options, &streams[j], rows[j]);
    if (options.growth)
        print_growth(&options, streams, rows, count);
    else
        print_means(&options, streams, rows, count);
    for (size_t j = 0; j < count; j++)
        stream_close(&streams[j]);
    return 0;
}
