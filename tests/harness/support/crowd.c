/* A made-up recording of several threads. */
#include "tests/harness/support/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness/base/pages.h"
#include "harness/base/rng.h"
#include "tests/unit.h"
#include "workloads/writer.h"

struct making {
    const struct crowd *crowd;
    struct trace_writer *writer;
    struct rng rng;
    uint32_t *owner;  /* thread of each live object, CROWD_FREE of others */
    uint32_t *number; /* of each thread in the trace: by first appearance */
    uint32_t seen;
};

#define CROWD_FREE UINT32_MAX

static void crowd_add(struct making *making, struct trace_event event, uint32_t thread)
{
    struct err err;
    if (making->number[thread] == CROWD_FREE)
        making->number[thread] = making->seen++;
    event.thread = making->number[thread];
    if (trace_writer_add(making->writer, &event, &err))
        fail_msg("%s", err.text);
}

static void crowd_allocate(struct making *making, uint32_t object, uint32_t thread)
{
    static const uint8_t kinds[] = {TRACE_MALLOC, TRACE_MALLOC, TRACE_CALLOC, TRACE_ALIGNED};
    uint8_t kind = kinds[rng_below(&making->rng, 4)];
    struct trace_event event = {.kind = kind,
                                .object = object,
                                .size = rng_below(&making->rng, 400),
                                .align_log2 = kind == TRACE_ALIGNED ? 6 : 0};
    making->owner[object] = thread;
    crowd_add(making, event, thread);
}

/* By its owner, or by any thread. */
static void crowd_use(struct making *making, uint32_t object)
{
    const struct crowd *crowd = making->crowd;
    uint32_t thread = making->owner[object];
    if (rng_below(&making->rng, 100) < crowd->cross_share)
        thread = (uint32_t)rng_below(&making->rng, crowd->threads);
    struct trace_event event = {.kind = TRACE_FREE, .object = object};
    if (rng_below(&making->rng, 4) == 0) {
        event.kind = TRACE_REALLOC;
        event.size = rng_below(&making->rng, 800);
    } else {
        making->owner[object] = CROWD_FREE;
    }
    crowd_add(making, event, thread);
}

static void crowd_write(struct making *making)
{
    const struct crowd *crowd = making->crowd;
    uint32_t thread = 0;
    for (size_t i = 0; i < crowd->events; i++) {
        uint32_t object = (uint32_t)rng_below(&making->rng, crowd->live);
        if (rng_below(&making->rng, 100) < crowd->switch_share)
            thread = (uint32_t)rng_below(&making->rng, crowd->threads);
        if (making->owner[object] == CROWD_FREE)
            crowd_allocate(making, object, thread);
        else
            crowd_use(making, object);
    }
    for (uint32_t object = 0; object < crowd->live; object++)
        if (making->owner[object] != CROWD_FREE)
            crowd_add(making, (struct trace_event){.kind = TRACE_FREE, .object = object},
                      making->owner[object]);
}

static uint32_t *crowd_table(size_t count)
{
    uint32_t *table = malloc(count * sizeof *table);
    assert_non_null(table);
    for (size_t i = 0; i < count; i++)
        table[i] = CROWD_FREE;
    return table;
}

static void crowd_make(const struct crowd *crowd, const char *path)
{
    const struct trace_origin origin = {.program = "crowd",
                                        .arguments = "",
                                        .host = "",
                                        .tool = "",
                                        .source = "",
                                        .losses = "",
                                        .columns = TRACE_HAS_THREADS};
    struct making making = {.crowd = crowd};
    struct err err;
    assert_int_equal(trace_writer_create(&making.writer, path, &origin, &err), 0);
    rng_init(&making.rng, crowd->seed);
    making.owner = crowd_table(crowd->live);
    making.number = crowd_table(crowd->threads);
    crowd_write(&making);
    free(making.owner);
    free(making.number);
    if (trace_writer_finish(making.writer, &err))
        fail_msg("%s", err.text);
}

void crowd_open(struct crowd_window *opened, const struct crowd *crowd, size_t words)
{
    char path[64];
    struct err err;
    snprintf(path, sizeof path, "/tmp/heapbench-crowd.%d", (int)getpid());
    crowd_make(crowd, path);
    if (trace_reader_open(&opened->reader, path, &err))
        fail_msg("%s", err.text);
    unlink(path);
    opened->capacity = window_capacity(trace_reader_summary(opened->reader), words);
    uint64_t *memory = pages_map(opened->capacity * sizeof *memory);
    opened->threads = pages_map(opened->capacity * sizeof *opened->threads);
    assert_int_equal(
        window_init(&opened->window, opened->reader, memory, opened->capacity, false, &err), 0);
    window_want_threads(&opened->window, opened->threads);
}

void crowd_close(struct crowd_window *opened)
{
    pages_unmap(opened->window.words, opened->capacity * sizeof(uint64_t));
    pages_unmap(opened->threads, opened->capacity * sizeof *opened->threads);
    window_release(&opened->window);
    trace_reader_close(opened->reader);
}
