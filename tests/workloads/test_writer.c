/* The writer refuses what no program can do, and leaves no half-written file under the real name.
 */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads/encoder.h"
#include "workloads/reader.h"
#include "workloads/writer.h"

static char folder[] = "/tmp/heapbench-writer-XXXXXX";
static char path[64], part[72];

static struct trace_writer *create(uint32_t columns)
{
    const struct trace_origin origin = {.columns = columns};
    struct trace_writer *writer;
    struct err err;
    if (trace_writer_create(&writer, path, &origin, &err))
        fail_msg("%s", err.text);
    return writer;
}

static int add(struct trace_writer *writer, struct trace_event event, struct err *err)
{
    return trace_writer_add(writer, &event, err);
}

static void refuses(struct trace_writer *writer, struct trace_event event, const char *why)
{
    struct err err = {0};
    assert_int_equal(add(writer, event, &err), -EINVAL);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

static void impossible_events_are_refused(void **state)
{
    (void)state;
    struct trace_writer *writer = create(TRACE_HAS_TIMES);
    assert_int_equal(add(writer, (struct trace_event){.object = 5, .size = 1, .time_ns = 9}, NULL),
                     0);
    const uint64_t now = 9;
    refuses(writer, (struct trace_event){.object = 5, .time_ns = now}, "live already");
    refuses(writer, (struct trace_event){.kind = TRACE_FREE, .object = 6, .time_ns = now},
            "not live");
    refuses(writer, (struct trace_event){.kind = TRACE_REALLOC, .object = 6, .time_ns = now},
            "not live");
    refuses(writer,
            (struct trace_event){.kind = TRACE_REALLOC, .object = TRACE_NO_OBJECT, .time_ns = now},
            "not live");
    refuses(writer, (struct trace_event){.object = TRACE_NO_OBJECT, .time_ns = now},
            "without an object");
    refuses(writer, (struct trace_event){.kind = TRACE_MARK, .object = 0, .time_ns = now},
            "without a label");
    refuses(writer, (struct trace_event){.kind = TRACE_KINDS, .time_ns = now}, "unknown kind");
    refuses(writer, (struct trace_event){.object = 7, .align_log2 = 4, .time_ns = now},
            "alignment");
    refuses(
        writer,
        (struct trace_event){.kind = TRACE_FREE, .flags = TRACE_FAILED, .object = 5, .time_ns = 9},
        "which a free or a mark cannot");
    refuses(writer, (struct trace_event){.object = 7, .size = UINT64_MAX, .time_ns = now},
            "address space");
    refuses(writer, (struct trace_event){.object = 7, .time_ns = now - 1}, "earlier");
    assert_int_equal(trace_writer_summary(writer)->events, 1);
    assert_int_equal(trace_writer_finish(writer, NULL), 0);
    unlink(path);
}

static void the_summary_counts(void **state)
{
    (void)state;
    struct trace_writer *writer = create(TRACE_HAS_THREADS);
    const struct trace_event events[] = {
        {.object = 1, .size = 100},
        {.kind = TRACE_CALLOC, .object = 2, .size = 50, .thread = 9},
        {.kind = TRACE_FREE, .object = 1, .thread = 9},
        {.kind = TRACE_ALIGNED, .object = 1, .size = 10, .align_log2 = 12},
        {.kind = TRACE_REALLOC, .object = 2, .size = 500, .thread = 9},
        {.kind = TRACE_REALLOC, .object = 2, .size = 1 << 20, .flags = TRACE_FAILED, .thread = 9},
        {.kind = TRACE_FREE, .object = TRACE_NO_OBJECT},
        {.kind = TRACE_FREE, .object = 1},
        {.object = TRACE_NO_OBJECT, .size = UINT64_MAX, .flags = TRACE_FAILED},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        assert_int_equal(add(writer, events[i], NULL), 0);
    const struct trace_summary sum = *trace_writer_summary(writer);
    assert_int_equal(sum.events, 9);
    assert_int_equal(sum.by_kind[TRACE_FREE], 3);
    assert_int_equal(sum.failed_calls, 2);
    assert_int_equal(sum.threads, 2);
    assert_int_equal(sum.objects, 2);
    assert_int_equal(sum.peak_live_bytes, 510);
    assert_int_equal(sum.peak_event, 4);
    assert_int_equal(sum.peak_live_blocks, 2);
    assert_int_equal(sum.end_live_bytes, 500);
    assert_int_equal(sum.end_live_blocks, 1);
    assert_int_equal(sum.total_bytes, 660);
    assert_int_equal(sum.cross_thread_frees, 1);
    assert_int_equal(sum.max_align, 4096);
    assert_int_equal(trace_writer_finish(writer, NULL), 0);
    struct trace_reader *reader;
    assert_int_equal(trace_reader_open(&reader, path, NULL), 0);
    assert_memory_equal(trace_reader_summary(reader), &sum, sizeof sum);
    trace_reader_close(reader);
    unlink(path);
}

/* A caller who used the trace's own numbers goes over to numbers of its own. */
static void numbers_may_be_the_traces_at_first(void **state)
{
    (void)state;
    struct trace_writer *writer = create(0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(
            add(writer, (struct trace_event){.object = trace_writer_encoder(writer)->row.head}, NULL),
            0);
    assert_int_equal(add(writer, (struct trace_event){.kind = TRACE_FREE, .object = 1}, NULL), 0);
    assert_false(trace_writer_is_live(writer, 1));
    assert_int_equal(trace_writer_encoder(writer)->row.head, 1);
    assert_int_equal(add(writer, (struct trace_event){.object = 77}, NULL), 0);
    assert_false(trace_writer_is_live(writer, 1));
    assert_true(trace_writer_is_live(writer, 2));
    refuses(writer, (struct trace_event){.object = 2}, "live already");
    refuses(writer, (struct trace_event){.kind = TRACE_FREE, .object = 1}, "not live");
    const uint32_t live[] = {0, 77, 2};
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            add(writer, (struct trace_event){.kind = TRACE_FREE, .object = live[i]}, NULL), 0);
    assert_int_equal(trace_writer_summary(writer)->end_live_blocks, 0);
    assert_int_equal(trace_writer_finish(writer, NULL), 0);
    unlink(path);
}

static void the_name_is_taken_at_the_end(void **state)
{
    (void)state;
    struct stat status;
    struct trace_writer *writer = create(0);
    assert_int_not_equal(stat(path, &status), 0);
    assert_int_equal(stat(part, &status), 0);
    trace_writer_abandon(writer);
    assert_int_not_equal(stat(part, &status), 0);
    writer = create(0);
    assert_int_equal(trace_writer_finish(writer, NULL), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_not_equal(stat(part, &status), 0);
    unlink(path);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    const struct trace_origin origin = {0};
    struct trace_writer *writer;
    struct err err = {0};
    struct stat status;
    assert_int_equal(trace_writer_create(&writer, "/dev/full", &origin, &err), -ENOSPC);
    assert_non_null(strstr(err.text, "/dev/full"));
    assert_non_null(strstr(err.text, "free some space"));
    assert_int_equal(stat("/dev/full", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

static void an_unwritable_folder_is_told(void **state)
{
    (void)state;
    const struct trace_origin origin = {0};
    struct trace_writer *writer;
    struct err err = {0};
    assert_int_not_equal(trace_writer_create(&writer, "/nonexistent/a", &origin, &err), 0);
    assert_non_null(strstr(err.text, "/nonexistent/a"));
    assert_int_not_equal(trace_writer_create(&writer, folder, &origin, &err), 0);
    assert_non_null(strstr(err.text, "is a folder"));
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/t.trace", folder);
    snprintf(part, sizeof part, "%s.part", path);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_events_are_refused),
        cmocka_unit_test(the_summary_counts),
        cmocka_unit_test(numbers_may_be_the_traces_at_first),
        cmocka_unit_test(the_name_is_taken_at_the_end),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(an_unwritable_folder_is_told),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
