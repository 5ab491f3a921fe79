/* shmheap as a backend: one heap in several processes, and its options. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocators/registry.h"
#include "allocators/spec.h"
#include "harness/base/rng.h"
#include "tests/unit.h"

struct fixture {
    struct spec spec;
    struct region region;
    struct heap *heap;
    char name[64];
};

static void fixture_open(struct fixture *fixture, const char *spec, bool named)
{
    static unsigned serial;
    struct err err = {0};
    snprintf(fixture->name, sizeof fixture->name, "/heapbench-test-%d-b%u", (int)getpid(),
             serial++);
    if (spec_parse(&fixture->spec, spec, &err) ||
        spec_create(&fixture->spec, &fixture->region, named ? fixture->name : NULL, &fixture->heap,
                    &err))
        fail_msg("%s", err.text);
}

static void fixture_close(struct fixture *fixture)
{
    heap_destroy(fixture->heap);
    region_release(&fixture->region);
}

static void assert_sound(struct heap *heap)
{
    char why[256];
    if (heap_check(heap, why, sizeof why) != 0)
        fail_msg("%s", why);
}

enum { BLOCKS = 3000, CHILDREN = 4 };

/* What a process leaves for the others: refs, which mean the same blocks everywhere. */
struct shelf {
    void *refs[BLOCKS];
    size_t sizes[BLOCKS];
};

static void shelf_fill(struct shelf *shelf, struct heap *heap, unsigned seed)
{
    struct rng rng;
    rng_init(&rng, seed);
    for (unsigned i = 0; i < BLOCKS; i++) {
        shelf->sizes[i] = 1 + rng_below(&rng, 900);
        shelf->refs[i] = heap_alloc(heap, shelf->sizes[i]);
        memset(heap_resolve(heap, shelf->refs[i]), (int)(seed * 31 + i), shelf->sizes[i]);
    }
}

/* 0 when every block is as its owner left it; all are freed. */
static int shelf_clear(const struct shelf *shelf, struct heap *heap, unsigned seed)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        const char *block = heap_resolve(heap, shelf->refs[i]);
        if (heap_ref_of(heap, (void *)(uintptr_t)block) != shelf->refs[i])
            return 1;
        for (size_t byte = 0; byte < shelf->sizes[i]; byte++)
            if (block[byte] != (char)(seed * 31 + i))
                return 1;
        heap_free(heap, shelf->refs[i]);
    }
    return 0;
}

/* Fills a shelf of its own or clears another's. */
static int child_run(const struct fixture *fixture, struct shelf *shelves, unsigned number,
                     bool clear)
{
    struct heap *heap;
    struct err err;
    mmap(NULL, (number + 1) << 21, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (allocator_shmheap.attach(fixture->name, &heap, &err) != 0)
        return 2;
    int status = 0;
    if (clear)
        status = shelf_clear(&shelves[(number + 1) % CHILDREN], heap, (number + 1) % CHILDREN);
    else
        shelf_fill(&shelves[number], heap, number);
    heap_destroy(heap);
    return status;
}

static void children_run(const struct fixture *fixture, struct shelf *shelves, bool clear)
{
    pid_t children[CHILDREN];
    for (unsigned i = 0; i < CHILDREN; i++)
        if ((children[i] = fork()) == 0)
            _exit(child_run(fixture, shelves, i, clear));
    for (unsigned i = 0; i < CHILDREN; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

static void blocks_of_one_process_are_freed_by_another(void **state)
{
    (void)state;
    struct fixture fixture;
    struct heap_stats stats;
    struct shelf *shelves = mmap(NULL, CHILDREN * sizeof *shelves, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fixture_open(&fixture, "shmheap", true);
    for (int round = 0; round < 3; round++) {
        children_run(&fixture, shelves, false);
        heap_stats(fixture.heap, &stats);
        assert_int_equal(stats.live_blocks, CHILDREN * BLOCKS);
        assert_sound(fixture.heap);
        children_run(&fixture, shelves, true);
        heap_stats(fixture.heap, &stats);
        assert_int_equal(stats.live_blocks, 0);
        assert_sound(fixture.heap);
    }
    int file = shm_open(fixture.name, O_RDWR, 0);
    assert_true(file >= 0);
    close(file);
    fixture_close(&fixture);
    assert_int_equal(shm_open(fixture.name, O_RDWR, 0), -1);
    munmap(shelves, CHILDREN * sizeof *shelves);
}

static void attaching_to_nothing_is_an_error(void **state)
{
    (void)state;
    struct heap *heap = NULL;
    struct err err = {0};
    assert_int_equal(allocator_shmheap.attach("/heapbench-test-none", &heap, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/heapbench-test-none"));
    assert_null(heap);
}

static void a_name_too_long_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    struct spec spec;
    struct region region = {0};
    struct heap *heap = NULL;
    struct err err = {0};
    char name[128];
    snprintf(name, sizeof name, "/heapbench-test-%d-%080d", (int)getpid(), 0);
    assert_int_equal(spec_parse(&spec, "shmheap", &err), 0);
    assert_int_not_equal(spec_create(&spec, &region, name, &heap, &err), 0);
    assert_non_null(strstr(err.text, "too long"));
    assert_int_equal(shm_open(name, O_RDWR, 0), -1);
    region_release(&region);
}

static void without_a_name_nothing_is_shared(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "shmheap", false);
    assert_int_equal(shm_open(fixture.name, O_RDWR, 0), -1);
    char *block = heap_resolve(fixture.heap, heap_alloc(fixture.heap, 100));
    assert_in_range((uintptr_t)block, (uintptr_t)fixture.region.base,
                    (uintptr_t)fixture.region.base + fixture.region.reserved);
    fixture_close(&fixture);
}

static void without_its_lock_it_is_for_one_thread(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "shmheap:lock=0", true);
    assert_int_equal(fixture.heap->ops->threads, THREADS_ONE);
    assert_false(allocator_has(fixture.heap->ops, ALLOCATOR_PROCESS_SHARED));
    assert_null(allocator_flaw(fixture.heap->ops));
    void *ref = heap_alloc(fixture.heap, 100);
    heap_free(fixture.heap, ref);
    assert_sound(fixture.heap);
    fixture_close(&fixture);
}

static void it_begins_with_the_size_asked_for(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "shmheap:size=8M", false);
    size_t committed = fixture.region.committed;
    assert_in_range(committed, 8 << 20, (8 << 20) + (8 << 20) / 14 + (64 << 10));
    heap_alloc(fixture.heap, 7 << 20);
    assert_int_equal(fixture.region.committed, committed);
    heap_alloc(fixture.heap, 7 << 20);
    assert_true(fixture.region.committed > committed);
    assert_sound(fixture.heap);
    fixture_close(&fixture);
}

/* 16 bytes a live block and 7 % of the heap; nothing for large ones but the index. */
static void bookkeeping_stays_small(void **state)
{
    (void)state;
    static const size_t sizes[] = {24, 100, 1000, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct fixture fixture;
        struct heap_stats stats;
        fixture_open(&fixture, "shmheap", false);
        for (size_t bytes = 0; bytes < 32 << 20; bytes += sizes[i])
            assert_non_null(heap_alloc(fixture.heap, sizes[i]));
        heap_stats(fixture.heap, &stats);
        assert_true((double)stats.metadata_bytes <=
                    16.0 * (double)stats.live_blocks + 0.07 * (double)stats.held_bytes);
        fixture_close(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_one_process_are_freed_by_another),
        cmocka_unit_test(attaching_to_nothing_is_an_error),
        cmocka_unit_test(a_name_too_long_is_an_error_and_leaves_nothing),
        cmocka_unit_test(without_a_name_nothing_is_shared),
        cmocka_unit_test(without_its_lock_it_is_for_one_thread),
        cmocka_unit_test(it_begins_with_the_size_asked_for),
        cmocka_unit_test(bookkeeping_stays_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
