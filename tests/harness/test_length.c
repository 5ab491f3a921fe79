/* Any length: what writing and replaying a trace take in memory follows from the blocks that are
 * live, not from the number of operations. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/pages.h"
#include "harness/cell.h"
#include "tests/unit.h"
#include "workloads/generate/generate.h"

/* The shorter has more threads already than a reader remembers apart. */
enum { SHORT = 20, LIVE = 4000, GROWTH_KIB = 512, MOST_KIB = 64 << 10 };

#ifdef __SANITIZE_ADDRESS__
/* What is freed is freed: the sanitizer would keep it for a while, and grow with the length. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=0:thread_local_quarantine_size_kb=0";
}
#endif

static char path[] = "/tmp/heapbench-length-XXXXXX";

/* What a step took at most: of its own process, or of the worker that it started. */
static long peak_kib(int whose)
{
    struct rusage usage;
    getrusage(whose, &usage);
    return usage.ru_maxrss;
}

/* `rounds` of 20,000 operations each, by four more threads. */
static long write_trace(unsigned rounds)
{
    char workload[100];
    struct err err = {0};
    snprintf(workload, sizeof workload, "larson:threads=4,blocks=1000,replace=2500,rounds=%u",
             rounds);
    if (generate(workload, path, &err))
        fail_msg("%s", err.text);
    return peak_kib(RUSAGE_SELF);
}

static long replay_trace(unsigned rounds)
{
    static struct cell_result result;
    struct err err = {0};
    const struct cell cell = {.allocator = "null",
                              .trace_path = path,
                              .trace_name = "length",
                              .pass = PASS_THROUGHPUT,
                              .touch = TOUCH_NONE,
                              .threads = 1,
                              .processes = 1};
    if (cell_measure(&cell, NULL, NULL, &result, &err))
        fail_msg("%s", err.text);
    assert_string_equal(result.status, "ok");
    assert_true(result.operations >= rounds * 20000);
    return peak_kib(RUSAGE_CHILDREN);
}

/* In a process of its own, so that no step before it counts. */
static long peak_of(long (*step)(unsigned), unsigned rounds)
{
    int status;
    long *peak = pages_map(sizeof *peak);
    pid_t child = fork();
    if (child == 0) {
        *peak = step(rounds);
        _exit(EXIT_SUCCESS);
    }
    assert_true(waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
    long kib = *peak;
    pages_unmap(peak, sizeof *peak);
    return kib;
}

static void memory_does_not_follow_the_length(void **state)
{
    (void)state;
    const long most = MOST_KIB + LIVE * 32 / 1024;
    long wrote = peak_of(write_trace, SHORT), replayed = peak_of(replay_trace, SHORT);
    assert_true(wrote < most && replayed < most);
    long wrote_more = peak_of(write_trace, 8 * SHORT),
         replayed_more = peak_of(replay_trace, 8 * SHORT);
    if (wrote_more > wrote + GROWTH_KIB)
        fail_msg("eight times the operations to write: from %ld to %ld KiB", wrote, wrote_more);
    if (replayed_more > replayed + GROWTH_KIB)
        fail_msg("eight times the operations to replay: from %ld to %ld KiB", replayed,
                 replayed_more);
    print_message("writing %ld and %ld KiB, replaying %ld and %ld KiB\n", wrote, wrote_more,
                  replayed, replayed_more);
}

static int begin(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int end(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_does_not_follow_the_length)};
    return cmocka_run_group_tests(tests, begin, end);
}
