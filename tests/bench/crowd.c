/* bench-crowd FILE [THREADS [EVENTS]]: writes the recording of a program of many threads, to replay
 * with `bench run`: 390 threads and 2,000,000 operations unless said otherwise.
 *
 * A few threads do most (the k-th does about 1/k of what the first does), in runs of some 15
 * operations; sizes are mostly small; 11 of 100 frees are of another thread's block. */
#include <stdio.h>
#include <stdlib.h>

#include "harness/base/rng.h"
#include "workloads/numbering.h"
#include "workloads/writer.h"

enum { LIVE = 40000, RUN = 15, FOREIGN_PERCENT = 11, OWN = 4096 };

struct thread {
    uint32_t number; /* in the trace, by first appearance */
    uint32_t count;
    uint32_t live[OWN]; /* its live objects */
};

struct crowd {
    struct trace_writer *writer;
    struct numbering numbering;
    struct rng rng;
    struct thread *threads;
    double *weights; /* sums */
    uint32_t count, seen;
    size_t live;
};

static uint32_t crowd_pick(struct crowd *crowd)
{
    double at = (double)(rng_next(&crowd->rng) >> 11) / 9007199254740992.0 *
                crowd->weights[crowd->count - 1];
    uint32_t low = 0, high = crowd->count - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (crowd->weights[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void crowd_add(struct crowd *crowd, struct thread *thread, enum trace_kind kind,
                      uint32_t object, uint64_t size)
{
    struct err err;
    if (thread->number == UINT32_MAX)
        thread->number = crowd->seen++;
    const struct trace_event event = {
        .kind = (uint8_t)kind, .thread = thread->number, .object = object, .size = size};
    if (trace_writer_add(crowd->writer, &event, &err)) {
        fprintf(stderr, "bench-crowd: %s\n", err.text);
        exit(1);
    }
}

static void crowd_step(struct crowd *crowd, struct thread *thread)
{
    struct rng *rng = &crowd->rng;
    struct thread *owner = thread;
    if (rng_below(rng, 100) < FOREIGN_PERCENT)
        owner = &crowd->threads[crowd_pick(crowd)];
    if (owner->count > 0 && (rng_below(rng, LIVE) < crowd->live || owner->count == OWN)) {
        uint32_t *at =
            &owner->live[owner->count - 1 - rng_below(rng, owner->count > 64 ? 64 : owner->count)];
        crowd_add(crowd, thread, TRACE_FREE, *at, 0);
        numbering_give(&crowd->numbering, *at);
        *at = owner->live[--owner->count];
        crowd->live--;
    } else if (thread->count < OWN) {
        uint64_t size = 1 + (UINT64_C(16) << rng_below(rng, 8)) * rng_below(rng, 100) / 100;
        numbering_reserve(&crowd->numbering, 1);
        uint32_t object = numbering_take(&crowd->numbering);
        thread->live[thread->count++] = object;
        crowd_add(crowd, thread, TRACE_MALLOC, object, size);
        crowd->live++;
    }
}

static void crowd_init(struct crowd *crowd, uint32_t count)
{
    crowd->count = count;
    crowd->threads = calloc(count, sizeof *crowd->threads);
    crowd->weights = calloc(count, sizeof *crowd->weights);
    if (!crowd->threads || !crowd->weights)
        exit(1);
    for (uint32_t i = 0; i < count; i++) {
        crowd->threads[i].number = UINT32_MAX;
        crowd->weights[i] = (i ? crowd->weights[i - 1] : 0) + 1.0 / (i + 1);
    }
    numbering_init(&crowd->numbering);
    rng_init(&crowd->rng, 1);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: bench-crowd FILE [THREADS [EVENTS]]\n");
        return 2;
    }
    struct crowd crowd = {0};
    struct err err;
    long threads = argc > 2 ? atol(argv[2]) : 390, events = argc > 3 ? atol(argv[3]) : 2000000;
    const struct trace_origin origin = {.program = "crowd",
                                        .arguments = "",
                                        .host = "",
                                        .tool = "heapbench " HEAPBENCH_VERSION,
                                        .source = "generated",
                                        .losses = "",
                                        .columns = TRACE_HAS_THREADS};
    if (threads < 1 || threads > 10000 ||
        trace_writer_create(&crowd.writer, argv[1], &origin, &err))
        return 1;
    crowd_init(&crowd, (uint32_t)threads);
    for (long i = 0; i < events; i += RUN) {
        struct thread *thread = &crowd.threads[crowd_pick(&crowd)];
        for (uint64_t run = rng_below(&crowd.rng, 2 * RUN); run > 0; run--)
            crowd_step(&crowd, thread);
    }
    if (trace_writer_finish(crowd.writer, &err)) {
        fprintf(stderr, "bench-crowd: %s\n", err.text);
        return 1;
    }
    return 0;
}
