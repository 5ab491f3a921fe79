/* recording.h: processes written into a real spool by hand, and the traces they end in. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "workloads/reader.h"
#include "workloads/recording.h"

enum { ROOT = 10, PIDS = 3000, PATH = 128 };

struct fixture {
    struct spool spool;
    struct recording *recording;
    struct err err;
    char folder[64], path[PATH];
    bool over[PIDS];
    uint32_t chunks;
};

static bool is_over(pid_t pid, void *arg)
{
    const struct fixture *fixture = arg;
    return fixture->over[pid];
}

static char *path_of(const struct fixture *fixture, const char *name, char path[PATH])
{
    snprintf(path, PATH, "%s/%s", fixture->folder, name);
    return path;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.folder = "/tmp/test_recording.XXXXXX"};
    if (!mkdtemp(fixture.folder) || spool_create(&fixture.spool, NULL))
        return -1;
    path_of(&fixture, "t.trace", fixture.path);
    const struct recording_plan plan = {.path = fixture.path,
                                        .origin = {.columns = TRACE_HAS_THREADS}};
    if (recording_create(&fixture.recording, &fixture.spool, &plan, &fixture.err))
        return -1;
    recording_set_root(fixture.recording, ROOT);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[PATH];
    recording_destroy(fixture->recording);
    spool_destroy(&fixture->spool);
    snprintf(command, sizeof command, "rm -r %s", fixture->folder);
    return system(command);
}

/* A process, or what it becomes, with a number of allocations. */
static void begin(struct fixture *fixture, pid_t pid, uint32_t allocations)
{
    struct spool_control *control = fixture->spool.control;
    uint32_t image = control->images++, number = fixture->chunks++;
    while (control->allocated <= number) {
        control->held = control->allocated;
        spool_extend(&fixture->spool);
    }
    struct spool_chunk *chunk = spool_chunk_at(control, number);
    *chunk =
        (struct spool_chunk){.taken = allocations, .stream = control->streams++, .image = image};
    for (uint32_t i = 0; i < allocations; i++)
        chunk->words[i] = SPOOL_MALLOC | UINT64_C(0x1000) * (i + 1) << SPOOL_POINTER_SHIFT;
    control->image[image].pid = pid;
    spool_push(control, &control->opened, number);
}

static void step(struct fixture *fixture)
{
    assert_int_equal(recording_step(fixture->recording, is_over, fixture, &fixture->err), 0);
}

static void finish(struct fixture *fixture)
{
    memset(fixture->over, true, sizeof fixture->over);
    step(fixture);
    step(fixture);
    assert_int_equal(
        recording_finish(fixture->recording, &(struct recording_cost){0}, &fixture->err), 0);
}

static uint64_t mallocs_in(const struct fixture *fixture, const char *name)
{
    char path[PATH];
    struct trace_reader *reader;
    struct err err = {0};
    assert_int_equal(trace_reader_open(&reader, path_of(fixture, name, path), &err), 0);
    uint64_t count = trace_reader_summary(reader)->by_kind[TRACE_MALLOC];
    trace_reader_close(reader);
    return count;
}

static void test_exec_goes_on(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, ROOT, 3);
    begin(fixture, 20, 4);
    step(fixture);
    begin(fixture, 20, 5);
    begin(fixture, ROOT, 6);
    finish(fixture);
    assert_int_equal(recording_count(fixture->recording), 2);
    assert_int_equal(mallocs_in(fixture, "t.trace"), 9);
    assert_int_equal(mallocs_in(fixture, "t.20.trace"), 9);
}

/* The system gives a number out again once its process is gone. */
static void test_number_of_another_process(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, 20, 4);
    fixture->over[20] = true;
    step(fixture);
    fixture->over[20] = false;
    begin(fixture, 20, 5);
    step(fixture);
    begin(fixture, 20, 6);
    finish(fixture);
    assert_int_equal(recording_count(fixture->recording), 3);
    assert_int_equal(mallocs_in(fixture, "t.20.trace"), 4);
    assert_int_equal(mallocs_in(fixture, "t.20-2.trace"), 11);
}

static void put_text(const struct fixture *fixture, const char *name)
{
    char path[PATH];
    FILE *file = fopen(path_of(fixture, name, path), "w");
    assert_non_null(file);
    fputs("mine", file);
    fclose(file);
}

static void assert_is_mine(const struct fixture *fixture, const char *name)
{
    char path[PATH], text[16] = "";
    FILE *file = fopen(path_of(fixture, name, path), "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_string_equal(text, "mine");
    fclose(file);
}

static void test_names_that_are_taken(void **state)
{
    struct fixture *fixture = *state;
    put_text(fixture, "t.20.trace");
    put_text(fixture, "t.20-2.trace.part");
    begin(fixture, 20, 4);
    finish(fixture);
    assert_is_mine(fixture, "t.20.trace");
    assert_is_mine(fixture, "t.20-2.trace.part");
    assert_int_equal(mallocs_in(fixture, "t.20-3.trace"), 4);
}

static void test_name_that_is_taken_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    put_text(fixture, "t.trace");
    assert_int_equal(
        recording_finish(fixture->recording, &(struct recording_cost){0}, &fixture->err), -EEXIST);
    assert_is_mine(fixture, "t.trace");
    assert_int_equal(mallocs_in(fixture, "t.trace.part"), 0);
}

/* More processes than files may be open. */
static void run_many(struct fixture *fixture, bool over)
{
    enum { MANY = 80, FILES = 40 };
    struct rlimit before, few = {FILES, FILES};
    getrlimit(RLIMIT_NOFILE, &before);
    few.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_NOFILE, &few);
    memset(fixture->over, over, sizeof fixture->over);
    fixture->over[ROOT] = false;
    for (pid_t pid = 100; pid < 100 + MANY; pid++)
        begin(fixture, pid, 1);
    step(fixture);
    finish(fixture);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(recording_count(fixture->recording), MANY + 1);
    assert_int_equal(mallocs_in(fixture, "t.100.trace"), 1);
    assert_int_equal(mallocs_in(fixture, "t.179.trace"), 1);
}

static void test_many_of_a_moment(void **state)
{
    run_many(*state, true);
}

static void test_many_at_once(void **state)
{
    run_many(*state, false);
}

/* Killed between taking its number and telling whose it is. */
static void test_process_that_never_began(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, ROOT, 3);
    fixture->spool.control->images++;
    begin(fixture, 20, 4);
    begin(fixture, ROOT, 5);
    finish(fixture);
    assert_int_equal(recording_count(fixture->recording), 2);
    assert_int_equal(mallocs_in(fixture, "t.trace"), 8);
    assert_int_equal(mallocs_in(fixture, "t.20.trace"), 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_exec_goes_on),
        TEST(test_number_of_another_process),
        TEST(test_names_that_are_taken),
        TEST(test_name_that_is_taken_meanwhile),
        TEST(test_many_of_a_moment),
        TEST(test_many_at_once),
        TEST(test_process_that_never_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
