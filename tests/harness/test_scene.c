/* A replay at rest, held against what another process reads of it with its own eyes. */
#include "harness/explain/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocators/registry.h"
#include "harness/cell.h"
#include "harness/measure/area.h"
#include "harness/measure/parts.h"
#include "tests/unit.h"
#include "workloads/generate/generate.h"
#include "workloads/reader.h"

static char trace[64];

static int make_trace(void **state)
{
    (void)state;
    snprintf(trace, sizeof trace, "/tmp/heapbench-scene.%d.trace", (int)getpid());
    return generate("larson:threads=3,rounds=2", trace, NULL);
}

static int remove_trace(void **state)
{
    (void)state;
    return unlink(trace);
}

/* The sum of all mappings' Rss. */
static uint64_t rss_of(pid_t worker)
{
    char path[64], line[512];
    unsigned long kilobytes;
    uint64_t bytes = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)worker);
    FILE *smaps = fopen(path, "r");
    assert_non_null(smaps);
    while (fgets(line, sizeof line, smaps))
        if (sscanf(line, "Rss: %lu kB", &kilobytes) == 1)
            bytes += 1024 * kilobytes;
    fclose(smaps);
    return bytes;
}

static char state_of(pid_t worker)
{
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)worker);
    FILE *stat = fopen(path, "r");
    assert_non_null(stat);
    assert_int_equal(fscanf(stat, "%*d (%*[^)]) %c", &state), 1);
    fclose(stat);
    return state;
}

/* What the trace says is live after so many events. */
static uint64_t live_after(uint64_t events, size_t *blocks)
{
    struct trace_reader *reader;
    struct trace_block block;
    assert_int_equal(trace_reader_open(&reader, trace, NULL), 0);
    uint64_t *sizes = calloc(trace_reader_summary(reader)->objects + 1, sizeof *sizes);
    uint64_t live = 0;
    *blocks = 0;
    while (trace_reader_next(reader, &block, NULL) == 1)
        for (size_t i = 0; i < block.count && block.first + i < events; i++) {
            uint32_t object = block.object[i];
            if (block.kind[i] == TRACE_MARK || object == TRACE_NO_OBJECT)
                continue;
            *blocks -= sizes[object] > 0;
            live -= sizes[object];
            sizes[object] = block.kind[i] == TRACE_FREE ? 0 : block.size[i];
            *blocks += sizes[object] > 0;
            live += sizes[object];
        }
    free(sizes);
    trace_reader_close(reader);
    return live;
}

struct visitor {
    struct scene scene;
    size_t rests, scenes;
    uint64_t event[4], rss;
};

static void compare(struct visitor *visitor, const struct moments_area *at)
{
    struct scene *scene = &visitor->scene;
    struct parts parts;
    size_t blocks;
    uint64_t live = live_after(at->request.stop[visitor->scenes].event, &blocks), requested = 0;
    parts_of(&scene->view, &parts);
    const struct image_rest *rest = &scene->image.rest;
    assert_int_equal(scene->image.rss, visitor->rss);
    assert_int_equal(parts_resident(&parts) + rest->harness + rest->code + rest->other,
                     visitor->rss);
    for (size_t i = 0; i < scene->block_count; i++)
        requested += scene->blocks[i].size;
    assert_int_equal(requested, live);
    assert_int_equal(at->live, live);
    assert_int_equal(parts.payload + parts.touched_not_yet, live);
    assert_int_equal(scene->block_count, blocks);
    if (scene->inside.known)
        assert_int_equal(scene->inside.used_blocks, blocks);
    visitor->scenes++;
}

static int attend(void *arg, pid_t worker, const struct area *area, int shared, struct err *err)
{
    struct visitor *visitor = arg;
    const struct moments_area *at = &area->moments;
    visitor->rests++;
    assert_int_equal(state_of(worker), 'T');
    if (at->step == MOMENTS_AS_IT_IS) {
        visitor->rss = rss_of(worker);
        assert_int_equal(scene_read(&visitor->scene, worker, area, shared, err), 0);
        assert_int_equal(rss_of(worker), visitor->rss);
    } else {
        assert_int_equal(scene_walked(&visitor->scene, area, shared, err), 0);
    }
    if (at->walks && at->step == MOMENTS_AS_IT_IS)
        return 0;
    compare(visitor, at);
    scene_release(&visitor->scene);
    return 0;
}

static void compare_allocator(const char *allocator, size_t rests)
{
    struct visitor visitor = {.rests = 0};
    struct moments_request *request = calloc(1, sizeof *request);
    struct cell_result result;
    struct err err = {0};
    static const uint64_t events[] = {1, 5000, 20000, 1000000000};
    for (; request->stops < 4; request->stops++)
        request->stop[request->stops] =
            (struct moments_stop){.event = events[request->stops], .time_ns = UINT64_MAX};
    const struct cell_moments moments = {.request = request, .attend = attend, .arg = &visitor};
    const struct cell cell = {
        .allocator = allocator,
        .trace_path = trace,
        .trace_name = "larson",
        .pass = PASS_MOMENTS,
        .touch = TOUCH_PAGE,
        .timeout_ns = UINT64_C(60000000000),
        .moments = &moments,
    };
    int failed = cell_measure(&cell, NULL, NULL, &result, &err);
    free(request);
    if (failed || strcmp(result.status, "ok") != 0)
        fail_msg("%s: %s %s %s", allocator, result.status, result.detail, err.text);
    assert_int_equal(visitor.scenes, 4);
    assert_int_equal(visitor.rests, rests);
}

static void the_parts_add_up_to_what_another_process_reads(void **state)
{
    (void)state;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    compare_allocator("system", 4);
#endif
    compare_allocator("first-fit", 8);
    compare_allocator("buddy", 8);
    compare_allocator("best-fit+checked", 8);
    compare_allocator("shmheap", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_parts_add_up_to_what_another_process_reads, make_trace,
                                        remove_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
