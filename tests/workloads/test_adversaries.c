/* The adversaries reach what their constructions promise, on plain models of first fit and best
 * fit: blocks cover header and granule, nothing may exceed the live units asked for. */
#include "tests/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "workloads/generate/generate.h"
#include "workloads/reader.h"

enum { UNIT = 32, HEADER = 8, MOST = 1 << 21, OBJECTS = 1 << 17 };

/* A heap of units: memory[i] is the number of units of the stretch that begins at i, negative where
 * it is free; the end of a free stretch repeats it. Slow and plain. */
struct model {
    bool best;
    int memory[MOST];
    int free_first; /* no free stretch begins below */
    int top, peak_top;
    long live, peak_live;
    int at[OBJECTS];
};

static struct model model;

static int model_find(int units)
{
    int found = -1;
    for (int i = model.free_first; i < model.top; i += abs(model.memory[i])) {
        int size = -model.memory[i];
        if (size < units || (found >= 0 && size >= -model.memory[found]))
            continue;
        found = i;
        if (!model.best || size == units)
            break;
    }
    return found;
}

static void model_alloc(uint32_t object, uint64_t bytes)
{
    int units = (int)((bytes + HEADER + UNIT - 1) / UNIT), at = model_find(units);
    if (at < 0) {
        at = model.top;
        model.top += units;
        assert_true(model.top < MOST);
    } else if (-model.memory[at] > units)
        model.memory[at + units] = model.memory[at] + units;
    model.memory[at] = units;
    model.at[object] = at;
    model.live += units;
    model.peak_live = model.live > model.peak_live ? model.live : model.peak_live;
    model.peak_top = model.top > model.peak_top ? model.top : model.peak_top;
}

/* Joins neighbours by walking from the start: only as far as needed. */
static void model_free(uint32_t object)
{
    int at = model.at[object], before = -1;
    model.live -= model.memory[at];
    model.memory[at] = -model.memory[at];
    if (at < model.free_first)
        model.free_first = at;
    for (int i = model.free_first; i < at; i += abs(model.memory[i]))
        before = i;
    if (before >= 0 && model.memory[before] < 0) {
        model.memory[before] += model.memory[at];
        at = before;
    }
    int after = at - model.memory[at];
    if (after < model.top && model.memory[after] < 0)
        model.memory[at] += model.memory[after];
    if (at - model.memory[at] == model.top)
        model.top = at;
}

static void model_run(bool best, const char *workload)
{
    static char path[] = "/tmp/heapbench-adversary-XXXXXX";
    struct trace_reader *reader = NULL;
    struct trace_block block;
    struct err err;
    int fd = mkstemp(path), more;
    assert_true(fd >= 0);
    close(fd);
    if (generate(workload, path, &err) || trace_reader_open(&reader, path, &err))
        fail_msg("%s", err.text);
    model = (struct model){.best = best};
    while ((more = trace_reader_next(reader, &block, &err)) == 1)
        for (size_t i = 0; i < block.count; i++)
            if (block.kind[i] == TRACE_FREE)
                model_free(block.object[i]);
            else
                model_alloc(block.object[i], block.size[i]);
    assert_int_equal(more, 0);
    trace_reader_close(reader);
    unlink(path);
    snprintf(path, sizeof path, "/tmp/heapbench-adversary-XXXXXX");
}

static void first_fit_is_driven_beyond_robsons_bound(void **state)
{
    (void)state;
    const long live = 4096, largest = 64, log2_largest = 6;
    long bound = live * (log2_largest + 2) / 2 - largest + 1;
    model_run(false, "first-fit-adversary:live=4096,largest=64");
    print_message("first fit: %d units of heap for %ld live, Robson's bound %ld\n", model.peak_top,
                  model.peak_live, bound);
    assert_true(model.peak_live <= live);
    assert_true(model.peak_top > bound);
}

static void best_fit_is_driven_to_robsons_bound(void **state)
{
    (void)state;
    const long live = 160, largest = 16;
    long bound = (live - 4 * largest + 11) * (largest - 2);
    model_run(true, "best-fit-adversary:live=160,largest=16");
    print_message("best fit: %d units of heap for %ld live, Robson's bound %ld\n", model.peak_top,
                  model.peak_live, bound);
    assert_true(model.peak_live <= live);
    assert_true(10L * model.peak_top >= 9 * bound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_fit_is_driven_beyond_robsons_bound),
        cmocka_unit_test(best_fit_is_driven_to_robsons_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
