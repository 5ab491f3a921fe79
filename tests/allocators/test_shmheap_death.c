/* The death of a process at any instruction of a call upon a shared-memory heap, and of another
 * while it repairs what the first left. */
#include "tests/unit.h"

#include <unistd.h>

#include "tests/allocators/support/sanitized.h"
#include "tests/allocators/support/shared.h"
#include "tests/allocators/support/stepped.h"

enum { SCALE = SANITIZED_SCALE };

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
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    for (size_t i = 0; i < OBJECTS; i++) {
        objects[i] = shmheap_alloc(heap, WORDS * sizeof(size_t));
        words_fill(objects[i], WORDS, i);
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

struct play {
    const struct scene *scene;
    shmheap_memory_handle heap;
    size_t **objects;
};

static void scene_call(const void *argument)
{
    const struct play *play = argument;
    scene_play(play->scene, play->heap, play->objects);
}

static pid_t scene_start(const struct scene *scene, shmheap_memory_handle heap, size_t **objects)
{
    struct play play = {scene, heap, objects};
    return stepped_start(scene_call, &play);
}

/* Makes `copy` what `heap` would be if the process that is in it had died now: the memory as it is,
 * and the lock marked by the kernel if it is held. False when it is not. */
static bool copy_of_dead(const struct shm_heap *heap, struct shm_heap *copy)
{
    for (unsigned i = 0; i < SHM_HEAP_STRETCHES; i++) {
        size_t at, bytes = shm_heap_stretch(heap, i, shm_heap_size(heap), &at);
        memcpy((char *)copy + at, (const char *)heap + at, bytes);
    }
    unsigned word = SHARED_OWNER_DIED;
    if (shared_lock_word(copy) == 0)
        return false;
    memcpy(&copy->lock, &word, sizeof word);
    return true;
}

/* Before the call or after it; nothing between, and nothing of the others touched. Returns whether
 * after. */
static bool scene_is_done(const struct scene *scene, shmheap_memory_handle heap, size_t **objects,
                          ptrdiff_t moved)
{
    shmheap_free(heap, shmheap_alloc(heap, 8));
    shared_assert_sound(heap);
    uint64_t live = shared_inside(heap)->space.live_blocks;
    uint64_t before = OBJECTS - (unsigned)__builtin_popcount(scene->holes);
    uint64_t after = scene->free >= 0 ? before - 1 : before + 1;
    assert_true(live == before || live == after);
    for (int i = 0; i < OBJECTS; i++)
        if (!(scene->holes >> i & 1) && i != scene->free)
            assert_true(words_are_filled((size_t *)((char *)objects[i] + moved), WORDS, (size_t)i));
    return live == after;
}

static void scene_die_everywhere(const struct scene *scene, shmheap_memory_handle copy)
{
    size_t *objects[OBJECTS];
    unsigned steps = 0, held = 0, undone = 0;
    shmheap_memory_handle heap = scene_set(scene, objects);
    pid_t child = scene_start(scene, heap, objects);
    ptrdiff_t moved = (char *)shared_inside(copy) - (char *)shared_inside(heap);
    bool done = false;
    while (stepped_step(child)) {
        steps++;
        held += copy_of_dead(shared_inside(heap), shared_inside(copy));
        done = scene_is_done(scene, copy, objects, moved);
        undone += !done;
    }
    stepped_kill(child);
    shmheap_destroy(shared_name(), heap);
    print_message("%s: %u instructions, %u with the lock held, undone before %u\n", scene->what,
                  steps, held, undone);
    assert_true(done && held > 30 && undone > 0);
}

static void death_at_every_instruction_of_a_call(void **state)
{
    (void)state;
    char copy_name[64];
    if (SCALE > 1 || !stepped_is_allowed())
        skip();
    shmheap_memory_handle copy = shmheap_create(strcpy(copy_name, shared_fresh_name()), 1 << 20);
    uint64_t id = copy.id;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        scene_die_everywhere(&scenes[i], copy);
    shared_inside(copy)->id = id;
    shmheap_destroy(copy_name, copy);
}

/* The same with real deaths, at some instructions: the mark in the lock is the kernel's. */
static void death_is_noticed_by_the_next_call(void **state)
{
    (void)state;
    unsigned held = 0;
    if (SCALE > 1 || !stepped_is_allowed())
        skip();
    for (unsigned stop = 0; stop < 1000; stop += 23) {
        const struct scene *scene = &scenes[stop % (sizeof scenes / sizeof *scenes)];
        size_t *objects[OBJECTS];
        shmheap_memory_handle heap = scene_set(scene, objects);
        pid_t child = scene_start(scene, heap, objects);
        for (unsigned i = 0; i < stop && stepped_step(child); i++)
            continue;
        stepped_kill(child);
        held += shared_died_inside(shared_inside(heap));
        scene_is_done(scene, heap, objects, 0);
        shmheap_destroy(shared_name(), heap);
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
    if (SCALE > 1 || !stepped_is_allowed())
        skip();
    shmheap_memory_handle copy = shmheap_create(strcpy(copy_name, shared_fresh_name()), 1 << 20);
    uint64_t id = copy.id;
    shmheap_memory_handle heap = scene_set(&scene, objects);
    pid_t child = scene_start(&scene, heap, objects);
    /* Until it has freed but not joined: one live block less, the counts not yet. */
    while (
        stepped_step(child) && !shared_died_inside(shared_inside(heap)) &&
        space_is_live(
            &shared_inside(heap)->space,
            ((uint64_t)((char *)objects[3] - (char *)shmheap_underlying(heap))) / SPACE_UNIT - 1))
        continue;
    stepped_kill(child);
    assert_true(shared_died_inside(shared_inside(heap)));
    child = scene_start(&next, heap, objects);
    unsigned steps = 0;
    while (stepped_step(child)) {
        if (steps++ % 5)
            continue;
        copy_of_dead(shared_inside(heap), shared_inside(copy));
        scene_is_done(&scene, copy, objects,
                      (char *)shared_inside(copy) - (char *)shared_inside(heap));
    }
    print_message("%u instructions\n", steps);
    stepped_kill(child);
    shmheap_destroy(shared_name(), heap);
    shared_inside(copy)->id = id;
    shmheap_destroy(copy_name, copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(death_at_every_instruction_of_a_call),
        cmocka_unit_test(death_is_noticed_by_the_next_call),
        cmocka_unit_test(death_inside_a_repair_is_repaired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
