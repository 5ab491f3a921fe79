/* The shared-memory heap among processes: at once, while it grows, and while some are killed. */
#include "tests/unit.h"

#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "tests/allocators/support/sanitized.h"
#include "tests/allocators/support/shared.h"

enum { SCALE = SANITIZED_SCALE };

/* ---- many at once -------------------------------------------------------------------------------
 */

enum { SLOTS = 256, PROCESSES = 6 };

/* A slot belongs to who holds `busy`: so objects are allocated by one process and freed by
 * another. */
struct slot {
    int busy;
    shmheap_object_handle object;
    size_t words;
    size_t value;
};

static bool exchange(shmheap_memory_handle heap, struct slot *slot, struct rng *rng, size_t most)
{
    bool good = true;
    if (slot->words) {
        size_t *object = shmheap_handle_to_ptr(heap, slot->object);
        good = object && words_are_filled(object, slot->words, slot->value);
        shmheap_free(heap, object);
        slot->words = 0;
    } else {
        slot->words = 1 + rng_below(rng, most);
        slot->value = rng_next(rng);
        size_t *object = shmheap_alloc(heap, slot->words * sizeof *object);
        if (!object)
            return false;
        words_fill(object, slot->words, slot->value);
        slot->object = shmheap_ptr_to_handle(heap, object);
    }
    return good;
}

static int exchange_many(unsigned number, struct slot *slots, unsigned rounds, size_t most)
{
    struct rng rng;
    rng_init(&rng, number + 100);
    shmheap_memory_handle heap = shared_connect_elsewhere(number);
    for (unsigned i = 0; i < rounds; i++) {
        struct slot *slot = &slots[rng_below(&rng, SLOTS)];
        if (__atomic_exchange_n(&slot->busy, 1, __ATOMIC_ACQUIRE))
            continue;
        bool good = exchange(heap, slot, &rng, most);
        __atomic_store_n(&slot->busy, 0, __ATOMIC_RELEASE);
        if (!good)
            return 1;
    }
    shmheap_disconnect(heap);
    return 0;
}

static void exchange_in_processes(size_t length, unsigned rounds, size_t most)
{
    pid_t children[PROCESSES];
    struct slot *slots = mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), length);
    for (unsigned i = 0; i < PROCESSES; i++)
        if ((children[i] = fork()) == 0)
            _exit(exchange_many(i, slots, rounds / SCALE, most));
    for (unsigned i = 0; i < PROCESSES; i++)
        assert_int_equal(shared_wait_for(children[i]), 0);
    shared_assert_sound(heap);
    for (unsigned i = 0; i < SLOTS; i++)
        if (slots[i].words) {
            size_t *object = shmheap_handle_to_ptr(heap, slots[i].object);
            assert_true(words_are_filled(object, slots[i].words, slots[i].value));
            shmheap_free(heap, object);
        }
    shared_assert_sound(heap);
    assert_int_equal(shared_inside(heap)->space.live_blocks, 0);
    assert_non_null(shmheap_alloc(heap, length - 80));
    shmheap_destroy(shared_name(), heap);
    munmap(slots, SLOTS * sizeof *slots);
}

static void processes_exchange_objects(void **state)
{
    (void)state;
    exchange_in_processes(8 << 20, 40000, 200);
}

static void processes_exchange_objects_while_the_heap_grows(void **state)
{
    (void)state;
    exchange_in_processes(4096, 20000, 4000);
}

/* ---- death at random ----------------------------------------------------------------------------
 */

enum { KEPT = 64 };

/* Allocates and frees until it is killed, at a high rate and in every state of the heap. */
__attribute__((noreturn)) static void hammer(unsigned seed)
{
    struct rng rng;
    uint64_t live[48];
    size_t count = 0;
    rng_init(&rng, seed);
    struct shm_heap *heap = shared_inside(shared_connect_elsewhere(seed % 50));
    for (;;) {
        if (!shm_heap_lock(heap))
            _exit(1);
        if (count == 48 || (count && rng_below(&rng, 2))) {
            size_t which = rng_below(&rng, count);
            shm_heap_give(heap, live[which]);
            live[which] = live[--count];
        } else {
            uint64_t offset = shm_heap_take(heap, 1 + rng_below(&rng, 80));
            if (offset)
                live[count++] = offset;
        }
        shm_heap_unlock(heap);
    }
}

/* What dead processes held is lost, as it would be to any process that loses its handles: it is
 * taken back by freeing everything but the objects that are kept. */
static void free_all_but(shmheap_memory_handle heap, size_t *const *kept)
{
    char *base = shmheap_underlying(heap);
    struct space *space = &shared_inside(heap)->space;
    bool is_free = false;
    struct space_block block = {space->first, 0};
    while ((block = space_next(space, block, &is_free)).at != SPACE_NONE) {
        char *object = base + (block.at + 1) * SPACE_UNIT;
        bool keep = false;
        for (int i = 0; i < KEPT; i++)
            keep |= (char *)kept[i] == object;
        if (is_free || keep)
            continue;
        shm_heap_give(shared_inside(heap), (block.at + 1) * SPACE_UNIT);
        block = (struct space_block){space->first, 0};
    }
}

static void killed_processes_leave_a_heap_to_go_on_with(void **state)
{
    (void)state;
    enum { DEATHS = 2500 };
    size_t *kept[KEPT];
    struct rng rng;
    unsigned inside_calls = 0;
    rng_init(&rng, 5);
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 1 << 16);
    for (size_t i = 0; i < KEPT; i++) {
        kept[i] = shmheap_alloc(heap, 40 + 8 * i);
        words_fill(kept[i], 5 + i, i);
        if (i % 3)
            shmheap_alloc(heap, 64); /* a hole among them, later */
    }
    free_all_but(heap, kept);
    for (unsigned death = 0; death < DEATHS / SCALE; death++) {
        pid_t child = fork();
        if (child == 0)
            hammer(death);
        struct timespec a_while = {0, (long)(20000 + rng_below(&rng, 300000)) * SCALE};
        nanosleep(&a_while, NULL);
        kill(child, SIGKILL);
        assert_int_equal(shared_wait_for(child), SIGKILL);
        inside_calls += shared_died_inside(shared_inside(heap));
        size_t *object = shmheap_alloc(heap, 80);
        assert_non_null(object);
        shared_assert_sound(heap);
        shmheap_free(heap, object);
        free_all_but(heap, kept);
        shared_assert_sound(heap);
        assert_int_equal(shared_inside(heap)->space.live_blocks, KEPT);
        for (size_t i = 0; i < KEPT; i++)
            assert_true(words_are_filled(kept[i], 5 + i, i));
    }
    print_message("%u of %u died inside a call\n", inside_calls, DEATHS / SCALE);
    assert_true(inside_calls > DEATHS / SCALE / 20);
    shmheap_destroy(shared_name(), heap);
}

/* Two go on while a third is killed: the repair is done by whoever comes next, not by the test. */
static void the_others_go_on_while_one_is_killed(void **state)
{
    (void)state;
    enum { DEATHS = 300 };
    pid_t others[2], child;
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 1 << 16);
    struct slot *slots = mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < 2; i++)
        if ((others[i] = fork()) == 0)
            _exit(exchange_many(i, slots, 200000 / SCALE, 30));
    for (unsigned death = 0; death < DEATHS / SCALE; death++) {
        if ((child = fork()) == 0)
            hammer(death);
        struct timespec a_while = {0, 200000};
        nanosleep(&a_while, NULL);
        kill(child, SIGKILL);
        assert_int_equal(shared_wait_for(child), SIGKILL);
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(shared_wait_for(others[i]), 0);
    for (unsigned i = 0; i < SLOTS; i++)
        if (slots[i].words)
            assert_true(words_are_filled(shmheap_handle_to_ptr(heap, slots[i].object),
                                         slots[i].words, slots[i].value));
    assert_non_null(shmheap_alloc(heap, 8)); /* repairs, if the last died inside */
    shared_assert_sound(heap);
    shmheap_destroy(shared_name(), heap);
    munmap(slots, SLOTS * sizeof *slots);
}

/* ---- growth -------------------------------------------------------------------------------------
 */

/* Connected before the heap grew, at another address; answers what the object of a handle holds. */
static int watch(int requests, int answers)
{
    shmheap_memory_handle heap = shared_connect_elsewhere(3);
    size_t *old = shmheap_alloc(heap, 64);
    shmheap_object_handle object;
    words_fill(old, 8, 99);
    if (write(answers, &(size_t){0}, sizeof(size_t)) < 0)
        return 1;
    while (read(requests, &object, sizeof object) == sizeof object) {
        size_t *words = shmheap_handle_to_ptr(heap, object);
        size_t sum = words && words_are_filled(old, 8, 99) ? words[0] + words[1] : 0;
        if (write(answers, &sum, sizeof sum) < 0)
            return 1;
    }
    shmheap_free(heap, old);
    shmheap_disconnect(heap);
    return 0;
}

/* To 28 MB: a container often has but 64 MiB of shared memory. */
static void what_grew_is_seen_by_who_was_connected_before(void **state)
{
    (void)state;
    enum { GROWTHS = 105 };
    int requests[2], answers[2];
    size_t answer = 1;
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    assert_int_equal(pipe(requests) | pipe(answers), 0);
    pid_t child = fork();
    if (child == 0) {
        close(requests[1]);
        _exit(watch(requests[0], answers[1]));
    }
    close(requests[0]);
    close(answers[1]);
    assert_int_equal(read(answers[0], &answer, sizeof answer), sizeof answer);
    for (size_t i = 1; i <= GROWTHS; i++) {
        size_t *object = shmheap_alloc(heap, i * 5000);
        assert_non_null(object);
        object[0] = i;
        object[1] = 1000 * i;
        shmheap_object_handle handle = shmheap_ptr_to_handle(heap, object);
        assert_int_equal(write(requests[1], &handle, sizeof handle), sizeof handle);
        assert_int_equal(read(answers[0], &answer, sizeof answer), sizeof answer);
        assert_int_equal(answer, 1001 * i);
    }
    close(requests[1]);
    assert_int_equal(shared_wait_for(child), 0);
    close(answers[0]);
    shared_assert_sound(heap);
    assert_int_equal(shared_inside(heap)->space.live_blocks, GROWTHS);
    shmheap_destroy(shared_name(), heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_exchange_objects),
        cmocka_unit_test(processes_exchange_objects_while_the_heap_grows),
        cmocka_unit_test(killed_processes_leave_a_heap_to_go_on_with),
        cmocka_unit_test(the_others_go_on_while_one_is_killed),
        cmocka_unit_test(what_grew_is_seen_by_who_was_connected_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
