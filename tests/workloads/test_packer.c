/* packer.h: a trace is the same whichever thread packs it, and a failure comes back. */
#include "tests/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "workloads/packer.h"
#include "workloads/writer.h"

enum { EVENTS = 400000, LIVE_MOST = 5000, LENGTH_MOST = 100000 };

static struct trace_writer *begin(const char *path)
{
    struct trace_writer *writer;
    const struct trace_origin origin = {.program = "p",
                                        .columns = TRACE_HAS_THREADS | TRACE_HAS_SITES};
    assert_int_equal(trace_writer_create(&writer, path, &origin, NULL), 0);
    return writer;
}

/* Names of call sites come between the blocks. */
static int add_events(struct trace_writer *writer, bool split, struct err *err)
{
    struct rng rng;
    bool live[LIVE_MOST] = {false};
    int failed = 0;
    rng_init(&rng, 7);
    for (uint32_t i = 0, site = 0; i < EVENTS && !failed; i++) {
        uint32_t object = (uint32_t)rng_below(&rng, LIVE_MOST);
        if (i % 9000 == 0)
            site = trace_writer_site(writer, "somewhere\nelse");
        if (split && i == EVENTS / 3)
            trace_writer_split(writer);
        struct trace_event event = {.kind = live[object] ? TRACE_FREE : TRACE_MALLOC,
                                    .object = object,
                                    .site = site,
                                    .size = live[object] ? 0 : rng_next(&rng) >> 20,
                                    .thread = (uint32_t)rng_below(&rng, 3)};
        live[object] = !live[object];
        failed = trace_writer_add(writer, &event, err);
    }
    return failed;
}

static void write_trace(const char *path, bool split)
{
    struct trace_writer *writer = begin(path);
    struct err err = {0};
    assert_int_equal(add_events(writer, split, &err), 0);
    assert_int_equal(trace_writer_finish(writer, &err), 0);
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
    char alone[] = "/tmp/packer-a-XXXXXX", split[] = "/tmp/packer-b-XXXXXX", *one, *other;
    close(mkstemp(alone));
    close(mkstemp(split));
    write_trace(alone, false);
    write_trace(split, true);
    size_t length = read_file(alone, &one);
    assert_int_equal(read_file(split, &other), length);
    assert_memory_equal(one, other, length);
    free(one);
    free(other);
    unlink(alone);
    unlink(split);
}

static void a_failure_comes_back(void **state)
{
    (void)state;
    char path[] = "/tmp/packer-c-XXXXXX";
    close(mkstemp(path));
    struct trace_writer *writer = begin(path);
    struct rlimit before, limit;
    struct err err = {0};
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){LENGTH_MOST, before.rlim_max};
    void (*action)(int) = signal(SIGXFSZ, SIG_IGN);
    trace_writer_split(writer);
    setrlimit(RLIMIT_FSIZE, &limit);
    int failed = add_events(writer, false, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, action);
    assert_int_equal(failed, -EFBIG);
    assert_int_equal(err.code, EFBIG);
    trace_writer_abandon(writer);
    unlink(path);
}

/* Also of the last block, when nothing is handed over after it. */
static void the_last_failure_comes_back(void **state)
{
    (void)state;
    char path[] = "/tmp/packer-d-XXXXXX";
    static uint8_t bytes[LENGTH_MOST];
    struct packer packer = {0};
    struct packer_block block = {.count = 1};
    struct rlimit before, limit;
    struct err err = {0};
    close(mkstemp(path));
    for (int i = 0; i < CODEC_STREAMS; i++)
        block.begin[i] = bytes;
    block.used[0] = sizeof bytes;
    assert_int_equal(packer_init(&packer), 0);
    assert_int_equal(output_open(&packer.output, path, NULL), 0);
    assert_int_equal(packer_split(&packer), 0);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){1, before.rlim_max};
    void (*action)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(packer_block(&packer, &block, &err), 0);
    int settled = packer_settle(&packer, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, action);
    assert_int_equal(settled, -EFBIG);
    assert_int_equal(err.code, EFBIG);
    output_abandon(&packer.output);
    packer_release(&packer);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trace_is_the_same),
        cmocka_unit_test(a_failure_comes_back),
        cmocka_unit_test(the_last_failure_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
