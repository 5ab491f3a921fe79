/* The shared-memory heap among processes: at once, while it grows, and after the death of any of
 * them at any instruction. */
#include "tests/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "allocators/api/shmheap.h"
#include "allocators/shm/object.h"
#include "harness/base/rng.h"
#include "tests/allocators/support/sanitized.h"

enum { SCALE = SANITIZED_SCALE };

static char name[64];

static const char *fresh_name(void)
{
    static unsigned serial;
    snprintf(name, sizeof name, "/heapbench-test-%d-p%u", (int)getpid(), serial++);
    return name;
}

static struct shm_heap *inside(shmheap_memory_handle heap)
{
    return ((struct shm_object *)heap.object)->heap;
}

static void assert_sound(shmheap_memory_handle heap)
{
    const char *flaw = space_flaw(&inside(heap)->space);
    if (flaw)
        fail_msg("%s", flaw);
}

/* A mapping at some other address than its parent's, whatever the kernel would have chosen. */
static shmheap_memory_handle connect_elsewhere(unsigned number)
{
    mmap(NULL, (number * 7 + 1) << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return shmheap_connect(name);
}

static int wait_for(pid_t child)
{
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* ---- objects that tell whether anyone else wrote into them --------------------------------------
 */

static void fill(size_t *object, size_t words, size_t value)
{
    for (size_t i = 0; i < words; i++)
        object[i] = value + i;
}

static bool is_filled(const size_t *object, size_t words, size_t value)
{
    for (size_t i = 0; i < words; i++)
        if (object[i] != value + i)
            return false;
    return true;
}

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
        good = object && is_filled(object, slot->words, slot->value);
        shmheap_free(heap, object);
        slot->words = 0;
    } else {
        slot->words = 1 + rng_below(rng, most);
        slot->value = rng_next(rng);
        size_t *object = shmheap_alloc(heap, slot->words * sizeof *object);
        if (!object)
            return false;
        fill(object, slot->words, slot->value);
        slot->object = shmheap_ptr_to_handle(heap, object);
    }
    return good;
}

static int exchange_many(unsigned number, struct slot *slots, unsigned rounds, size_t most)
{
    struct rng rng;
    rng_init(&rng, number + 100);
    shmheap_memory_handle heap = connect_elsewhere(number);
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
    shmheap_memory_handle heap = shmheap_create(fresh_name(), length);
    for (unsigned i = 0; i < PROCESSES; i++)
        if ((children[i] = fork()) == 0)
            _exit(exchange_many(i, slots, rounds / SCALE, most));
    for (unsigned i = 0; i < PROCESSES; i++)
        assert_int_equal(wait_for(children[i]), 0);
    assert_sound(heap);
    for (unsigned i = 0; i < SLOTS; i++)
        if (slots[i].words) {
            size_t *object = shmheap_handle_to_ptr(heap, slots[i].object);
            assert_true(is_filled(object, slots[i].words, slots[i].value));
            shmheap_free(heap, object);
        }
    assert_sound(heap);
    assert_int_equal(inside(heap)->space.live_blocks, 0);
    assert_non_null(shmheap_alloc(heap, length - 80));
    shmheap_destroy(name, heap);
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
    struct shm_heap *heap = inside(connect_elsewhere(seed % 50));
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

/* Whether the last holder of the lock died with it (the kernel's mark in the C library's lock). */
static bool died_inside(const struct shm_heap *heap)
{
    int word;
    memcpy(&word, &heap->lock, sizeof word);
    return (word & 0x40000000) != 0;
}

/* What dead processes held is lost, as it would be to any process that loses its handles: it is
 * taken back by freeing everything but the objects that are kept. */
static void free_all_but(shmheap_memory_handle heap, size_t *const *kept)
{
    char *base = shmheap_underlying(heap);
    struct space *space = &inside(heap)->space;
    bool is_free = false;
    struct space_block block = {space->first, 0};
    while ((block = space_next(space, block, &is_free)).at != SPACE_NONE) {
        char *object = base + (block.at + 1) * SPACE_UNIT;
        bool keep = false;
        for (int i = 0; i < KEPT; i++)
            keep |= (char *)kept[i] == object;
        if (is_free || keep)
            continue;
        shm_heap_give(inside(heap), (block.at + 1) * SPACE_UNIT);
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
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 1 << 16);
    for (size_t i = 0; i < KEPT; i++) {
        kept[i] = shmheap_alloc(heap, 40 + 8 * i);
        fill(kept[i], 5 + i, i);
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
        assert_int_equal(wait_for(child), SIGKILL);
        inside_calls += died_inside(inside(heap));
        size_t *object = shmheap_alloc(heap, 80);
        assert_non_null(object);
        assert_sound(heap);
        shmheap_free(heap, object);
        free_all_but(heap, kept);
        assert_sound(heap);
        assert_int_equal(inside(heap)->space.live_blocks, KEPT);
        for (size_t i = 0; i < KEPT; i++)
            assert_true(is_filled(kept[i], 5 + i, i));
    }
    print_message("%u of %u died inside a call\n", inside_calls, DEATHS / SCALE);
    assert_true(inside_calls > DEATHS / SCALE / 20);
    shmheap_destroy(name, heap);
}

/* Two go on while a third is killed: the repair is done by whoever comes next, not by the test. */
static void the_others_go_on_while_one_is_killed(void **state)
{
    (void)state;
    enum { DEATHS = 300 };
    pid_t others[2], child;
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 1 << 16);
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
        assert_int_equal(wait_for(child), SIGKILL);
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(wait_for(others[i]), 0);
    for (unsigned i = 0; i < SLOTS; i++)
        if (slots[i].words)
            assert_true(is_filled(shmheap_handle_to_ptr(heap, slots[i].object), slots[i].words,
                                  slots[i].value));
    assert_non_null(shmheap_alloc(heap, 8)); /* repairs, if the last died inside */
    assert_sound(heap);
    shmheap_destroy(name, heap);
    munmap(slots, SLOTS * sizeof *slots);
}

/* ---- death at every instruction -----------------------------------------------------------------
 */

/* Eight objects of 64 bytes, of which those in `holes` are free again, and one call upon them. */
struct scene {
    const char *what;
    unsigned holes; /* one bit an object */
    int free;       /* this one is freed; -1: `alloc` bytes are allocated */
    size_t alloc;
};

static const struct scene scenes[] = {
    {"a hole is filled", 0x04, -1, 64},   {"a hole is split", 0x0c, -1, 40},
    {"the top is cut", 0x00, -1, 3000},   {"the heap grows", 0x00, -1, 9000},
    {"between live objects", 0x00, 3, 0}, {"after a hole", 0x04, 3, 0},
    {"before a hole", 0x10, 3, 0},        {"between holes", 0x14, 3, 0},
    {"before the top", 0x00, 7, 0},       {"between a hole and the top", 0x40, 7, 0},
};

enum { OBJECTS = 8, WORDS = 8 };

static shmheap_memory_handle scene_set(const struct scene *scene, size_t **objects)
{
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    for (size_t i = 0; i < OBJECTS; i++) {
        objects[i] = shmheap_alloc(heap, WORDS * sizeof(size_t));
        fill(objects[i], WORDS, i);
    }
    for (unsigned i = 0; i < OBJECTS; i++)
        if (scene->holes >> i & 1)
            shmheap_free(heap, objects[i]);
    return heap;
}

static void scene_play(const struct scene *scene, shmheap_memory_handle heap, size_t **objects)
{
    if (scene->free >= 0)
        shmheap_free(heap, objects[scene->free]);
    else if (!shmheap_alloc(heap, scene->alloc))
        _exit(1);
}

/* The child stops before the call and after it, by SIGSTOP. */
static pid_t scene_start(const struct scene *scene, shmheap_memory_handle heap, size_t **objects)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(1);
        raise(SIGSTOP);
        scene_play(scene, heap, objects);
        raise(SIGSTOP);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    return child;
}

/* One instruction; false when the call is over. */
static bool scene_step(pid_t child)
{
    int status;
    return ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
           waitpid(child, &status, 0) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

static void scene_end(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(wait_for(child), SIGKILL);
}

/* Makes `copy` what `heap` would be if the process that is in it had died now: the memory as it is,
 * and the lock marked by the kernel if it is held. False when it is not. */
static bool copy_of_dead(const struct shm_heap *heap, struct shm_heap *copy)
{
    for (unsigned i = 0; i < SHM_HEAP_STRETCHES; i++) {
        size_t at, bytes = shm_heap_stretch(heap, i, shm_heap_size(heap), &at);
        memcpy((char *)copy + at, (const char *)heap + at, bytes);
    }
    int word;
    memcpy(&word, &copy->lock, sizeof word);
    if (word == 0)
        return false;
    word = 0x40000000;
    memcpy(&copy->lock, &word, sizeof word);
    return true;
}

/* Before the call or after it; nothing between, and nothing of the others touched. Returns whether
 * after. */
static bool scene_is_done(const struct scene *scene, shmheap_memory_handle heap, size_t **objects,
                          ptrdiff_t moved)
{
    shmheap_free(heap, shmheap_alloc(heap, 8));
    assert_sound(heap);
    uint64_t live = inside(heap)->space.live_blocks;
    uint64_t before = OBJECTS - (unsigned)__builtin_popcount(scene->holes);
    uint64_t after = scene->free >= 0 ? before - 1 : before + 1;
    assert_true(live == before || live == after);
    for (int i = 0; i < OBJECTS; i++)
        if (!(scene->holes >> i & 1) && i != scene->free)
            assert_true(is_filled((size_t *)((char *)objects[i] + moved), WORDS, (size_t)i));
    return live == after;
}

static bool may_trace(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0);
    return wait_for(child) == 0;
}

static void scene_die_everywhere(const struct scene *scene, shmheap_memory_handle copy)
{
    size_t *objects[OBJECTS];
    unsigned steps = 0, held = 0, undone = 0;
    shmheap_memory_handle heap = scene_set(scene, objects);
    pid_t child = scene_start(scene, heap, objects);
    ptrdiff_t moved = (char *)inside(copy) - (char *)inside(heap);
    bool done = false;
    while (scene_step(child)) {
        steps++;
        held += copy_of_dead(inside(heap), inside(copy));
        done = scene_is_done(scene, copy, objects, moved);
        undone += !done;
    }
    scene_end(child);
    shmheap_destroy(name, heap);
    print_message("%s: %u instructions, %u with the lock held, undone before %u\n", scene->what,
                  steps, held, undone);
    assert_true(done && held > 30 && undone > 0);
}

static void death_at_every_instruction_of_a_call(void **state)
{
    (void)state;
    char copy_name[64];
    if (SCALE > 1 || !may_trace())
        skip();
    shmheap_memory_handle copy = shmheap_create(strcpy(copy_name, fresh_name()), 1 << 20);
    uint64_t id = copy.id;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        scene_die_everywhere(&scenes[i], copy);
    inside(copy)->id = id;
    shmheap_destroy(copy_name, copy);
}

/* The same with real deaths, at some instructions: the mark in the lock is the kernel's. */
static void death_is_noticed_by_the_next_call(void **state)
{
    (void)state;
    unsigned held = 0;
    if (SCALE > 1 || !may_trace())
        skip();
    for (unsigned stop = 0; stop < 1000; stop += 23) {
        const struct scene *scene = &scenes[stop % (sizeof scenes / sizeof *scenes)];
        size_t *objects[OBJECTS];
        shmheap_memory_handle heap = scene_set(scene, objects);
        pid_t child = scene_start(scene, heap, objects);
        for (unsigned i = 0; i < stop && scene_step(child); i++)
            continue;
        scene_end(child);
        held += died_inside(inside(heap));
        scene_is_done(scene, heap, objects, 0);
        shmheap_destroy(name, heap);
    }
    assert_true(held > 5);
}

/* A second process dies while it repairs what the first left, at every instruction. */
static void death_inside_a_repair_is_repaired(void **state)
{
    (void)state;
    static const struct scene scene = {"between holes", 0x14, 3, 0};
    static const struct scene next = {"the repair", 0x14, -1, 8};
    size_t *objects[OBJECTS];
    char copy_name[64];
    if (SCALE > 1 || !may_trace())
        skip();
    shmheap_memory_handle copy = shmheap_create(strcpy(copy_name, fresh_name()), 1 << 20);
    uint64_t id = copy.id;
    shmheap_memory_handle heap = scene_set(&scene, objects);
    pid_t child = scene_start(&scene, heap, objects);
    /* Until it has freed but not joined: one live block less, the counts not yet. */
    while (
        scene_step(child) && !died_inside(inside(heap)) &&
        space_is_live(
            &inside(heap)->space,
            ((uint64_t)((char *)objects[3] - (char *)shmheap_underlying(heap))) / SPACE_UNIT - 1))
        continue;
    scene_end(child);
    assert_true(died_inside(inside(heap)));
    child = scene_start(&next, heap, objects);
    unsigned steps = 0;
    while (scene_step(child)) {
        if (steps++ % 5)
            continue;
        copy_of_dead(inside(heap), inside(copy));
        scene_is_done(&scene, copy, objects, (char *)inside(copy) - (char *)inside(heap));
    }
    print_message("%u instructions\n", steps);
    scene_end(child);
    shmheap_destroy(name, heap);
    inside(copy)->id = id;
    shmheap_destroy(copy_name, copy);
}

/* ---- growth -------------------------------------------------------------------------------------
 */

/* Connected before the heap grew, at another address; answers what the object of a handle holds. */
static int watch(int requests, int answers)
{
    shmheap_memory_handle heap = connect_elsewhere(3);
    size_t *old = shmheap_alloc(heap, 64);
    shmheap_object_handle object;
    fill(old, 8, 99);
    if (write(answers, &(size_t){0}, sizeof(size_t)) < 0)
        return 1;
    while (read(requests, &object, sizeof object) == sizeof object) {
        size_t *words = shmheap_handle_to_ptr(heap, object);
        size_t sum = words && is_filled(old, 8, 99) ? words[0] + words[1] : 0;
        if (write(answers, &sum, sizeof sum) < 0)
            return 1;
    }
    shmheap_free(heap, old);
    shmheap_disconnect(heap);
    return 0;
}

static void what_grew_is_seen_by_who_was_connected_before(void **state)
{
    (void)state;
    int requests[2], answers[2];
    size_t answer = 1;
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    assert_int_equal(pipe(requests) | pipe(answers), 0);
    pid_t child = fork();
    if (child == 0) {
        close(requests[1]);
        _exit(watch(requests[0], answers[1]));
    }
    close(requests[0]);
    assert_int_equal(read(answers[0], &answer, sizeof answer), sizeof answer);
    for (size_t i = 1; i < 200; i++) {
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
    assert_int_equal(wait_for(child), 0);
    close(answers[0]);
    close(answers[1]);
    assert_sound(heap);
    assert_int_equal(inside(heap)->space.live_blocks, 199);
    shmheap_destroy(name, heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_exchange_objects),
        cmocka_unit_test(processes_exchange_objects_while_the_heap_grows),
        cmocka_unit_test(killed_processes_leave_a_heap_to_go_on_with),
        cmocka_unit_test(the_others_go_on_while_one_is_killed),
        cmocka_unit_test(death_at_every_instruction_of_a_call),
        cmocka_unit_test(death_is_noticed_by_the_next_call),
        cmocka_unit_test(death_inside_a_repair_is_repaired),
        cmocka_unit_test(what_grew_is_seen_by_who_was_connected_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
