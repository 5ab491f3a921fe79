/* Ranges that come and go, and what of a process is resident by kind of mapping. */
#include "harness/measure/residents.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "tests/unit.h"

/* Against a byte a unit of address. */
static void ranges_are_what_a_map_of_bytes_says(void **state)
{
    (void)state;
    enum { SPACE = 200, ROUNDS = 3000 };
    char map[SPACE] = {0};
    struct ranges ranges = {0};
    struct rng rng;
    rng_init(&rng, 5);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = rng_below(&rng, SPACE), end = start + rng_below(&rng, SPACE - start);
        int add = (int)rng_below(&rng, 2);
        (add ? ranges_add : ranges_remove)(&ranges, start, end);
        memset(map + start, add, end - start);
        for (uint64_t at = 0; at < SPACE; at++) {
            size_t place = ranges_find(&ranges, at);
            int in = place < ranges.count && ranges.at[place].start <= at;
            assert_int_equal(in, map[at]);
        }
        for (size_t i = 0; i < ranges.count; i++) {
            assert_true(ranges.at[i].start < ranges.at[i].end);
            assert_true(i == 0 || ranges.at[i - 1].end <= ranges.at[i].start);
        }
    }
    ranges_release(&ranges);
}

/* ---- a process at rest, which does one step after another and says where it mapped something ----
 *
 * What a sanitizer keeps for itself looks like a heap too, and changes with every call that it
 * watches: so the steps make system calls directly, and are not instrumented. */

enum { MIB = 1 << 20, PAGE = 4096 };
#define UNWATCHED __attribute__((no_sanitize("address", "thread")))

typedef char *step(void);

struct subject {
    pid_t pid;
    int go, done;
};

UNWATCHED static void subject_run(step *const *steps, int go, int done)
{
    char word;
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (; *steps; steps++) {
        char *at = (*steps)();
        if (syscall(SYS_write, done, &at, sizeof at) != sizeof at ||
            syscall(SYS_read, go, &word, 1) != 1)
            break;
    }
    syscall(SYS_exit_group, 0);
}

static struct subject subject_start(step *const *steps)
{
    int go[2], done[2];
    assert_int_equal(pipe(go) | pipe(done), 0);
    struct subject subject = {fork(), go[1], done[0]};
    if (subject.pid == 0)
        subject_run(steps, go[0], done[1]);
    close(go[0]);
    close(done[1]);
    return subject;
}

/* What is resident after the next step, and what that returned. */
static struct residents subject_after_step(const struct subject *subject, char **at)
{
    struct residents residents;
    assert_int_equal(read(subject->done, at, sizeof *at), sizeof *at);
    assert_int_equal(residents_read(subject->pid, NULL, &residents), 0);
    return residents;
}

static void subject_go_on(const struct subject *subject)
{
    assert_int_equal(write(subject->go, "", 1), 1);
}

static void subject_end(const struct subject *subject)
{
    close(subject->go);
    close(subject->done);
    kill(subject->pid, SIGKILL);
    assert_int_equal(waitpid(subject->pid, NULL, 0), subject->pid);
}

UNWATCHED static char *step_rest(void)
{
    return NULL;
}

UNWATCHED static char *step_map(size_t size, int flags)
{
    return (char *)syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1,
                           0);
}

UNWATCHED static void step_touch(volatile char *at, size_t size)
{
    for (size_t i = 0; i < size; i += PAGE)
        at[i] = 1;
}

/* ---- what is the heap's ------------------------------------------------------------------------
 */

UNWATCHED static char *step_map_both(void)
{
    char *both = step_map(8 * MIB, MAP_PRIVATE);
    step_touch(both, 3 * MIB);
    step_touch(both + 4 * MIB, 2 * MIB);
    return both;
}

/* Neighbours, so that the kernel makes one mapping of the heap's and the program's own. */
static void what_a_program_maps_itself_is_no_heap(void **state)
{
    (void)state;
    static step *const steps[] = {step_rest, step_map_both, NULL};
    struct subject subject = subject_start(steps);
    char *both;
    struct residents before = subject_after_step(&subject, &both), apart;
    subject_go_on(&subject);
    struct residents all = subject_after_step(&subject, &both);
    assert_int_equal(all.heap - before.heap, 5 * MIB);
    assert_int_equal(all.absent - before.absent, 3 * MIB);
    struct ranges own = {0};
    uint64_t own_at = (uintptr_t)both + 4 * MIB;
    ranges_add(&own, own_at, own_at + 4 * MIB);
    assert_int_equal(residents_read(subject.pid, &own, &apart), 0);
    assert_int_equal(apart.heap - before.heap, 3 * MIB);
    assert_int_equal(apart.own, 2 * MIB);
    assert_int_equal(apart.absent - before.absent, MIB);
    ranges_release(&own);
    subject_end(&subject);
}

static volatile bool resting;

UNWATCHED static void *thread_rests(void *nothing)
{
    resting = true;
    for (;;)
        syscall(SYS_pause);
    return nothing;
}

UNWATCHED static char *step_start_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, thread_rests, NULL) != 0)
        syscall(SYS_exit_group, 1);
    while (!resting)
        syscall(SYS_sched_yield);
    return NULL;
}

UNWATCHED static char *step_map_stack(void)
{
    char *stack = step_map(2 * MIB, MAP_PRIVATE);
    syscall(SYS_mprotect, stack, PAGE, PROT_NONE);
    step_touch(stack + MIB, MIB);
    return stack;
}

static void behind_a_guard_page_is_a_stack_where_there_are_threads(void **state)
{
    (void)state;
    static step *const steps[] = {step_start_thread, step_map_stack, NULL};
    struct subject subject = subject_start(steps);
    char *stack;
    struct residents before = subject_after_step(&subject, &stack), apart;
    subject_go_on(&subject);
    struct residents after = subject_after_step(&subject, &stack);
    assert_int_equal(after.stacks - before.stacks, MIB);
    assert_int_equal(after.heap, before.heap);
    /* Unless it is the program's own. */
    struct ranges own = {0};
    ranges_add(&own, (uintptr_t)stack, (uintptr_t)stack + 2 * MIB);
    assert_int_equal(residents_read(subject.pid, &own, &apart), 0);
    assert_int_equal(apart.own, MIB);
    assert_int_equal(apart.stacks, before.stacks);
    ranges_release(&own);
    subject_end(&subject);
}

/* The thread sanitizer keeps a thread of its own. */
static bool subject_has_threads(const struct subject *subject)
{
    char path[64];
    struct stat info;
    snprintf(path, sizeof path, "/proc/%d/task", (int)subject->pid);
    assert_int_equal(stat(path, &info), 0);
    return info.st_nlink > 3; /* a link from each folder in it, and two of its own */
}

static void without_threads_it_is_the_heap_s(void **state)
{
    (void)state;
    static step *const steps[] = {step_rest, step_map_stack, NULL};
    struct subject subject = subject_start(steps);
    char *stack;
    struct residents before = subject_after_step(&subject, &stack);
    if (subject_has_threads(&subject)) {
        subject_end(&subject);
        skip();
    }
    subject_go_on(&subject);
    struct residents after = subject_after_step(&subject, &stack);
    assert_int_equal(after.stacks, before.stacks);
    assert_int_equal(after.heap - before.heap, MIB);
    subject_end(&subject);
}

static char zeroed[2 * MIB];

UNWATCHED static char *step_touch_others(void)
{
    char *shared = step_map(MIB, MAP_SHARED);
    step_touch(shared, MIB);
    step_touch(zeroed, sizeof zeroed);
    return shared;
}

static void shared_and_zeroed_memory_is_no_heap(void **state)
{
    (void)state;
    static step *const steps[] = {step_rest, step_touch_others, NULL};
    struct subject subject = subject_start(steps);
    char *shared;
    struct residents before = subject_after_step(&subject, &shared);
    subject_go_on(&subject);
    struct residents after = subject_after_step(&subject, &shared);
    assert_int_equal(after.heap, before.heap);
    assert_int_equal(after.files - before.files, MIB);
    /* Its ends may share a page with what was touched already. */
    assert_in_range(after.data - before.data, 2 * MIB - 2 * PAGE, 2 * MIB + PAGE);
    subject_end(&subject);
}

static void a_process_that_is_gone_is_an_error(void **state)
{
    (void)state;
    struct residents residents;
    assert_true(residents_read(0x3fffff, NULL, &residents) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_what_a_map_of_bytes_says),
        cmocka_unit_test(what_a_program_maps_itself_is_no_heap),
        cmocka_unit_test(behind_a_guard_page_is_a_stack_where_there_are_threads),
        cmocka_unit_test(without_threads_it_is_the_heap_s),
        cmocka_unit_test(shared_and_zeroed_memory_is_no_heap),
        cmocka_unit_test(a_process_that_is_gone_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
