/* Mappings from the kernel's text, and what of them a heap holds. */
#include "harness/measure/maps.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/pages.h"
#include "harness/measure/proc.h"
#include "tests/unit.h"

static const char maps_text[] =
    "555555554000-555555556000 r--p 00000000 fe:00 1311                       /usr/bin/cat\n"
    "55555555e000-55555555f000 rw-p 0000a000 fe:00 1311                       /usr/bin/cat\n"
    "55555555f000-555555580000 rw-p 00000000 00:00 0                          [heap]\n"
    "7ffff0000000-7ffff0021000 rw-p 00000000 00:00 0 \n"
    "7ffff0021000-7ffff4000000 ---p 00000000 00:00 0 \n"
    "7ffff5000000-7ffff5100000 rw-s 00000000 00:01 1025                       /dev/zero (deleted)\n"
    "7ffff6000000-7ffff6010000 rw-s 00000000 00:19 77                         /dev/shm/a heap\n"
    "7ffff7dd0000-7ffff7ddd000 rw-p 00000000 00:00 0 \n"
    "7ffff7fc3000-7ffff7fc7000 r--p 00000000 00:00 0                          [vvar]\n"
    "7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]\n";

struct seen {
    size_t count, heaps, shared;
    uint64_t heap_bytes;
    struct mapping last;
};

static int look(void *arg, const struct mapping *mapping)
{
    struct seen *seen = arg;
    seen->count++;
    seen->heaps += mapping_is_heap(mapping);
    seen->shared += mapping_is_shared_heap(mapping);
    if (mapping_is_heap(mapping))
        seen->heap_bytes += mapping->end - mapping->start;
    seen->last = *mapping;
    return 0;
}

static const char *fixture(const char *text)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/heapbench-maps.%d", (int)getpid());
    FILE *out = fopen(path, "w");
    fputs(text, out);
    fclose(out);
    return path;
}

static void lines_become_mappings(void **state)
{
    (void)state;
    struct seen seen = {0};
    const char *path = fixture(maps_text);
    assert_int_equal(maps_read(path, look, &seen), 0);
    assert_int_equal(seen.count, 10);
    assert_int_equal(seen.heaps, 3);
    assert_int_equal(seen.shared, 1);
    assert_int_equal(seen.heap_bytes, 0x21000 + 0x21000 + 0xd000);
    assert_int_equal(seen.last.start, 0x7ffffffde000);
    unlink(path);
}

static void other_lines_are_none(void **state)
{
    (void)state;
    struct mapping mapping;
    static const char *const lines[] = {"", "Rss:                 135 kB", "VmFlags: rd ex mr mw",
                                        "7ffff-", "7ffff000-7ffff100 rw"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_false(mapping_parse(&mapping, lines[i], strlen(lines[i])));
    const char *unnamed = "7ffff0000000-7ffff0021000 rw-p 00000000 00:00 0 ";
    assert_true(mapping_parse(&mapping, unnamed, strlen(unnamed)));
    assert_int_equal(mapping.name_length, 0);
    assert_string_equal(mapping.rights, "rw-p");
}

/* A file longer than the buffer, whose lines straddle its reads. */
static void long_files_are_read_whole(void **state)
{
    (void)state;
    enum { LINES = 3000 };
    char *text = malloc(LINES * 64), *at = text;
    for (int i = 0; i < LINES; i++)
        at += sprintf(at, "%x-%x rw-p 00000000 00:00 0 %*s\n", 0x10000 + i * 0x2000,
                      0x11000 + i * 0x2000, i % 7, "");
    struct seen seen = {0};
    const char *path = fixture(text);
    assert_int_equal(maps_read(path, look, &seen), 0);
    assert_int_equal(seen.heaps, LINES);
    assert_int_equal(seen.heap_bytes, LINES * 0x1000);
    unlink(path);
    free(text);
    assert_true(maps_read("/nonexistent/maps", look, &seen) < 0);
}

static void intervals_are_subtracted(void **state)
{
    (void)state;
    struct intervals intervals = {0};
    intervals_add(&intervals, 100, 200);
    intervals_add(&intervals, 200, 300); /* joined */
    intervals_add(&intervals, 500, 600);
    assert_int_equal(intervals.count, 2);
    assert_int_equal(intervals_outside(&intervals, 0, 100), 100);
    assert_int_equal(intervals_outside(&intervals, 0, 1000), 700);
    assert_int_equal(intervals_outside(&intervals, 150, 250), 0);
    assert_int_equal(intervals_outside(&intervals, 250, 550), 200);
    for (uint64_t i = 0; i < 2 * INTERVALS_MAX; i++)
        intervals_add(&intervals, 1000 + i * 10, 1005 + i * 10);
    assert_int_equal(intervals.count, INTERVALS_MAX);
    assert_int_equal(intervals_outside(&intervals, 1000 + 20 * INTERVALS_MAX - 10,
                                       1005 + 20 * INTERVALS_MAX - 10),
                     0);
}

static uint64_t held_now(const struct intervals *baseline)
{
    uint64_t held;
    assert_int_equal(maps_held(baseline, &held), 0);
    return held;
}

/* The kernel's view of this process: private writable pages count, ours and reserved ones do not.
 */
static void a_process_sees_what_it_maps(void **state)
{
    (void)state;
    enum { BYTES = 64 << 20 };
    struct intervals baseline;
    assert_int_equal(maps_baseline(&baseline), 0);
    uint64_t before = held_now(&baseline);
    void *ours = pages_map(1 << 20);
    void *reserved =
        mmap(NULL, BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_int_equal(held_now(&baseline), before);
    assert_int_equal(mprotect(reserved, 1 << 20, PROT_READ | PROT_WRITE), 0);
    assert_int_equal(held_now(&baseline), before + (1 << 20));
    munmap(reserved, BYTES);
    assert_int_equal(held_now(&baseline), before);
    pages_unmap(ours, 1 << 20);
}

static void the_kernel_counts_what_is_touched(void **state)
{
    (void)state;
    enum { BYTES = 32 << 20 };
    struct proc_sizes before, after;
    struct proc_counts counts_before, counts_after;
    uint64_t own_before, own_after;
    assert_int_equal(proc_own_resident("/proc/self/smaps", "none", &own_before), 0);
    int delays = proc_delays_open();
    proc_counts(delays, &counts_before);
    proc_sizes(&before);
    char *pages = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < BYTES; i += 4096)
        pages[i] = 1;
    proc_sizes(&after);
    proc_counts(delays, &counts_after);
    close(delays);
    assert_in_range(after.rss - before.rss, BYTES - (1 << 20), BYTES + (1 << 20));
    assert_in_range(after.vsz - before.vsz, BYTES, BYTES + (1 << 20));
    assert_true(counts_after.minor_faults > counts_before.minor_faults);
    assert_true(proc_kilobytes("/proc/self/status", "VmHWM:") >= after.rss - (1 << 20));
    assert_int_equal(proc_kilobytes("/proc/self/status", "VmNothing:"), UINT64_MAX);
    munmap(pages, BYTES);
    assert_int_equal(proc_reset_peak(), 0);
    assert_true(proc_kilobytes("/proc/self/status", "VmHWM:") < after.rss - BYTES / 2);
    char *ours = pages_map(1 << 20);
    assert_int_equal(proc_own_resident("/proc/self/smaps", "none", &own_after), 0);
    assert_in_range(own_after - own_before, 1 << 20, (1 << 20) + 65536);
    pages_unmap(ours, 1 << 20);
}

/* What the kernel tells of a process stands behind its name, in which anything may stand. */
static void a_name_is_no_number(void **state)
{
    (void)state;
    struct shared {
        volatile uint64_t faults;
        volatile int told;
    } *shared = pages_map(sizeof *shared);
    pid_t child = fork();
    if (child == 0) {
        struct rusage usage;
        prctl(PR_SET_NAME, "a) R 1 2 (3 4");
        getrusage(RUSAGE_SELF, &usage);
        shared->faults = (uint64_t)usage.ru_minflt;
        shared->told = 1;
        for (;;)
            pause();
    }
    while (!shared->told)
        usleep(1000);
    struct proc_counts counts;
    proc_counts_of(child, &counts);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_in_range(counts.minor_faults, shared->faults, shared->faults + 64);
    assert_int_equal(counts.major_faults, 0);
    pages_unmap(shared, sizeof *shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_mappings),
        cmocka_unit_test(other_lines_are_none),
        cmocka_unit_test(long_files_are_read_whole),
        cmocka_unit_test(intervals_are_subtracted),
        cmocka_unit_test(a_process_sees_what_it_maps),
        cmocka_unit_test(the_kernel_counts_what_is_touched),
        cmocka_unit_test(a_name_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
