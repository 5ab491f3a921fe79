/* relay.h: a trace is the same whoever encodes it, and a failure comes back. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "workloads/relay.h"

enum { EVENTS = 300000, LIVE_MOST = 5000, THREADS = 3 };

/* A program at random: what is live, and the numbers that the trace's policy gives. */
struct program {
    struct rng rng;
    struct numbering numbering;
    uint32_t live[LIVE_MOST], count;
};

static struct trace_event allocation(struct program *program)
{
    assert_int_equal(numbering_reserve(&program->numbering, 1), 0);
    uint32_t object = numbering_take(&program->numbering);
    program->live[program->count++] = object;
    uint8_t kind = (uint8_t)rng_below(&program->rng, TRACE_REALLOC);
    return (struct trace_event){
        .kind = kind, .object = object, .size = rng_below(&program->rng, 3000)};
}

static struct trace_event end(struct program *program)
{
    uint32_t at = (uint32_t)rng_below(&program->rng, program->count);
    uint32_t object = program->live[at];
    program->live[at] = program->live[--program->count];
    numbering_give(&program->numbering, object);
    return (struct trace_event){.kind = TRACE_FREE, .object = object};
}

static struct trace_event other(struct program *program)
{
    if (rng_below(&program->rng, 2))
        return (struct trace_event){
            .kind = TRACE_MALLOC, .flags = TRACE_FAILED, .object = TRACE_NO_OBJECT, .size = 77};
    if (!program->count)
        return (struct trace_event){.kind = TRACE_FREE, .object = TRACE_NO_OBJECT};
    return (struct trace_event){.kind = TRACE_REALLOC,
                                .object = program->live[program->count - 1],
                                .size = rng_below(&program->rng, 9000)};
}

static struct trace_event step(struct program *program)
{
    uint64_t what = rng_below(&program->rng, 100);
    struct trace_event event = what < 5 ? other(program)
                               : program->count == LIVE_MOST || (what < 50 && program->count)
                                   ? end(program)
                                   : allocation(program);
    event.thread = (uint32_t)rng_below(&program->rng, THREADS);
    return event;
}

static struct trace_writer *begin(const char *path)
{
    struct trace_writer *writer;
    const struct trace_origin origin = {.program = "p", .columns = TRACE_HAS_THREADS};
    assert_int_equal(trace_writer_create(&writer, path, &origin, NULL), 0);
    return writer;
}

/* Events up to `from` directly, then in turns through a relay and directly. */
static void write_trace(const char *path, uint32_t from)
{
    struct program program = {.count = 0};
    struct trace_writer *writer = begin(path);
    struct relay relay;
    struct err err;
    rng_init(&program.rng, 7);
    numbering_init(&program.numbering);
    for (uint32_t i = 0; i < EVENTS; i++) {
        bool relayed = i >= from && i / 70000 % 2 == 0;
        if (i >= from && i % 70000 == (i / 70000 ? 0 : from))
            assert_int_equal(relayed ? relay_open(&relay, writer) : relay_close(&relay, &err), 0);
        if (relayed && i % 9999 == 0)
            assert_int_equal(relay_settle(&relay, &err), 0);
        struct trace_event event = step(&program);
        assert_int_equal(
            relayed ? relay_put(&relay, &event, &err) : trace_writer_add(writer, &event, &err), 0);
        assert_true(!relayed || relay.events == i + 1);
    }
    if (from < EVENTS)
        assert_int_equal(relay_close(&relay, &err), 0);
    assert_int_equal(trace_writer_finish(writer, &err), 0);
    numbering_release(&program.numbering);
}

static size_t read_file(const char *path, char **text)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size_t length = (size_t)ftell(file);
    rewind(file);
    *text = malloc(length);
    assert_int_equal(fread(*text, 1, length, file), length);
    fclose(file);
    return length;
}

static void the_trace_is_the_same(void **state)
{
    (void)state;
    char directly[] = "/tmp/relay-a-XXXXXX", relayed[] = "/tmp/relay-b-XXXXXX", *one, *other_one;
    close(mkstemp(directly));
    close(mkstemp(relayed));
    write_trace(directly, EVENTS);
    write_trace(relayed, 1000);
    size_t length = read_file(directly, &one);
    assert_int_equal(read_file(relayed, &other_one), length);
    assert_memory_equal(one, other_one, length);
    free(one);
    free(other_one);
    unlink(directly);
    unlink(relayed);
}

static void a_failure_comes_back(void **state)
{
    (void)state;
    struct trace_writer *writer = begin("/dev/null");
    struct err err = {0};
    struct relay relay;
    struct trace_event event = {.kind = TRACE_REALLOC, .object = 5, .size = 1};
    assert_int_equal(relay_open(&relay, writer), 0);
    int failed = 0;
    for (uint32_t i = 0; i < RELAY_BATCH * (RELAY_AHEAD + 2) && !failed; i++)
        failed = relay_put(&relay, &event, &err);
    assert_true(failed < 0);
    assert_true(relay_close(&relay, &err) < 0);
    assert_non_null(strstr(err.text, "not live"));
    trace_writer_abandon(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trace_is_the_same),
        cmocka_unit_test(a_failure_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
