/* Ranges that come and go, and what of a process is resident by kind of mapping. */
#include "harness/measure/residents.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
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

enum { MIB = 1 << 20 };

static char *map_private(size_t size)
{
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    return at;
}

static struct residents now(const struct ranges *own)
{
    struct residents residents;
    assert_int_equal(residents_read(getpid(), own, &residents), 0);
    return residents;
}

/* Neighbours, so that the kernel makes one mapping of the heap's and the program's own. */
static void what_a_program_maps_itself_is_no_heap(void **state)
{
    (void)state;
    struct residents before = now(NULL);
    char *both = map_private(8 * MIB), *own_at = both + 4 * MIB;
    struct ranges own = {0};
    memset(both, 1, 3 * MIB);
    memset(own_at, 1, 2 * MIB);
    struct residents all = now(NULL);
    assert_in_range(all.heap - before.heap, 5 * MIB, 5 * MIB + 65536);
    assert_in_range(all.absent - before.absent + 65536, 3 * MIB, 3 * MIB + 2 * 65536);
    ranges_add(&own, (uintptr_t)own_at, (uintptr_t)own_at + 4 * MIB);
    struct residents apart = now(&own);
    assert_in_range(apart.heap - before.heap, 3 * MIB, 3 * MIB + 65536);
    assert_int_equal(apart.own, 2 * MIB);
    assert_in_range(apart.absent - before.absent + 65536, MIB, MIB + 2 * 65536);
    ranges_release(&own);
    munmap(both, 8 * MIB);
}

static void *wait_for(void *lock)
{
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return NULL;
}

static void behind_a_guard_page_is_a_stack_where_there_are_threads(void **state)
{
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;
    pthread_mutex_lock(&lock);
    assert_int_equal(pthread_create(&thread, NULL, wait_for, &lock), 0);
    struct residents before = now(NULL);
    char *stack = map_private(2 * MIB);
    assert_int_equal(mprotect(stack, 4096, PROT_NONE), 0);
    memset(stack + MIB, 1, MIB);
    struct residents after = now(NULL);
    assert_in_range(after.stacks - before.stacks, MIB, MIB + 65536);
    assert_in_range(after.heap, before.heap, before.heap + 65536);
    /* Unless it is the program's own. */
    struct ranges own = {0};
    ranges_add(&own, (uintptr_t)stack, (uintptr_t)stack + 2 * MIB);
    struct residents apart = now(&own);
    assert_int_equal(apart.own, MIB);
    assert_in_range(apart.stacks, before.stacks, before.stacks + 65536);
    ranges_release(&own);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    struct residents alone = now(NULL);
    munmap(stack, 2 * MIB);
    assert_true(alone.heap >= now(NULL).heap + MIB);
}

static void shared_and_zeroed_memory_is_no_heap(void **state)
{
    static char zeroed[2 * MIB];
    (void)state;
    struct residents before = now(NULL);
    char *shared = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    memset(shared, 1, MIB);
    memset(zeroed, 1, sizeof zeroed);
    struct residents after = now(NULL);
    assert_in_range(after.heap, before.heap, before.heap + 65536);
    assert_in_range(after.files - before.files, MIB, MIB + 65536);
    assert_in_range(after.data - before.data, 2 * MIB - 8192, 2 * MIB + 65536);
    munmap(shared, MIB);
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
        cmocka_unit_test(shared_and_zeroed_memory_is_no_heap),
        cmocka_unit_test(a_process_that_is_gone_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
