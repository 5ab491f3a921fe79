/* The classic shared-memory heap interface in one process: placement, handles, growth. */
#include "tests/unit.h"

#include "harness/base/rng.h"
#include "tests/allocators/support/shared.h"

/* ---- placement ----------------------------------------------------------------------------------
 */

static void the_example_of_the_text(void **state)
{
    (void)state;
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    void *a = shmheap_alloc(heap, 80), *b = shmheap_alloc(heap, 120), *c = shmheap_alloc(heap, 56);
    assert_int_equal(shared_offset(heap, a), 16);
    assert_int_equal(shared_offset(heap, b), 16 + 80 + 8);
    assert_int_equal(shared_offset(heap, c), 16 + 80 + 8 + 120 + 8);
    shmheap_free(heap, b);
    assert_ptr_equal(shmheap_alloc(heap, 64), b);
    void *d = shmheap_alloc(heap, 72);
    assert_int_equal(shared_offset(heap, d), shared_offset(heap, c) + 56 + 8);
    shmheap_free(heap, c);
    shared_assert_sound(heap);
    /* 120 less 64 and its bookkeeping, the bookkeeping of c and its 56 bytes. */
    void *e = shmheap_alloc(heap, 120 - 64 - 8 + 8 + 56);
    assert_int_equal(shared_offset(heap, e), shared_offset(heap, b) + 64 + 8);
    shared_assert_sound(heap);
    shmheap_destroy(shared_name(), heap);
}

static void sizes_are_rounded_up_to_eight(void **state)
{
    (void)state;
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    size_t expected = SHARED_FIRST;
    for (size_t size = 1; size <= 40; size++) {
        char *object = shmheap_alloc(heap, size);
        assert_int_equal(shared_offset(heap, object), expected);
        assert_int_equal((uintptr_t)object % 8, 0);
        expected += (size + 7) / 8 * 8 + SHARED_GAP;
    }
    shmheap_destroy(shared_name(), heap);
}

static off_t object_length(void)
{
    struct stat status;
    int file = shm_open(shared_name(), O_RDONLY, 0);
    assert_int_equal(fstat(file, &status), 0);
    close(file);
    return status.st_size;
}

static void a_fresh_heap_has_room_for_all_but_eighty_bytes(void **state)
{
    (void)state;
    static const size_t lengths[] = {96,   128,  1000,  4095,   4096,        4097,
                                     4099, 8192, 65535, 100001, 1024 * 1024, 32 * 1024 * 1024};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), lengths[i]);
        off_t before = object_length();
        char *object = shmheap_alloc(heap, lengths[i] - 80);
        assert_int_equal(shared_offset(heap, object), SHARED_FIRST);
        memset(object, 7, lengths[i] - 80);
        assert_int_equal(object_length(), before);
        shared_assert_sound(heap);
        shmheap_destroy(shared_name(), heap);
    }
}

struct naive {
    size_t at, units;
    bool free;
};

/* First fit as the text tells it: every block is 8 bytes and its object, the first begins at 8. */
static void a_million_calls_place_like_a_walk_over_all_blocks(void **state)
{
    (void)state;
    static struct naive list[2048];
    static void *live[512];
    static size_t at[512];
    enum { LENGTH = 1 << 17 };
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), LENGTH);
    size_t blocks = 1, count = 0;
    struct rng rng;
    rng_init(&rng, 11);
    list[0] = (struct naive){8, LENGTH - 8, true};
    for (unsigned i = 0; i < 1000000; i++) {
        if (count && (count == 300 || rng_below(&rng, 2))) {
            size_t which = rng_below(&rng, count), place = 0;
            while (list[place].at != at[which])
                place++;
            shmheap_free(heap, live[which]);
            list[place].free = true;
            size_t from = place && list[place - 1].free ? place - 1 : place;
            size_t to = place + 1 < blocks && list[place + 1].free ? place + 1 : place;
            list[from] =
                (struct naive){list[from].at, list[to].at + list[to].units - list[from].at, true};
            memmove(&list[from + 1], &list[to + 1], (blocks - to - 1) * sizeof *list);
            blocks -= to - from;
            live[which] = live[--count];
            at[which] = at[count];
            continue;
        }
        size_t size = 1 + rng_below(&rng, rng_below(&rng, 20) ? 300 : 3000), place = 0;
        size_t need = (size + 7) / 8 * 8 + 8;
        while (!list[place].free || list[place].units < need)
            place++;
        if (list[place].units > need) {
            memmove(&list[place + 1], &list[place], (blocks - place) * sizeof *list);
            list[place + 1].at += need;
            list[place + 1].units -= need;
            blocks++;
        }
        list[place] = (struct naive){list[place].at, need, false};
        live[count] = shmheap_alloc(heap, size);
        at[count] = list[place].at;
        assert_int_equal(shared_offset(heap, live[count]), at[count] + 8);
        count++;
    }
    shared_assert_sound(heap);
    shmheap_destroy(shared_name(), heap);
}

/* ---- handles ------------------------------------------------------------------------------------
 */

static void one_heap_mapped_twice_is_one_heap(void **state)
{
    (void)state;
    shmheap_memory_handle here = shmheap_create(shared_fresh_name(), 4096);
    shmheap_memory_handle there = shmheap_connect(shared_name());
    assert_ptr_not_equal(shmheap_underlying(here), shmheap_underlying(there));
    int *value = shmheap_alloc(here, sizeof *value);
    shmheap_object_handle handle = shmheap_ptr_to_handle(here, value);
    int *same = shmheap_handle_to_ptr(there, handle);
    *value = 4711;
    assert_ptr_not_equal(value, same);
    assert_int_equal(*same, 4711);
    shmheap_free(there, same);
    assert_ptr_equal(shmheap_alloc(here, sizeof *value), value);
    shmheap_disconnect(there);
    shmheap_destroy(shared_name(), here);
}

static void many_heaps_at_once(void **state)
{
    (void)state;
    enum { HEAPS = 20 };
    shmheap_memory_handle heaps[HEAPS];
    char names[HEAPS][64];
    for (int i = 0; i < HEAPS; i++) {
        strcpy(names[i], shared_fresh_name());
        heaps[i] = shmheap_create(names[i], 4096 + (size_t)i);
    }
    for (int round = 0; round < 50; round++)
        for (int i = 0; i < HEAPS; i++) {
            int *object = shmheap_alloc(heaps[i], 24);
            assert_int_equal(shared_offset(heaps[i], object), SHARED_FIRST + round * 32);
            *object = round * HEAPS + i;
        }
    for (int i = 0; i < HEAPS; i++) {
        for (int round = 0; round < 50; round++)
            assert_int_equal(
                *(int *)((char *)shmheap_underlying(heaps[i]) + SHARED_FIRST + round * 32),
                round * HEAPS + i);
        shmheap_destroy(names[i], heaps[i]);
    }
}

static void null_and_outside_become_nothing(void **state)
{
    (void)state;
    int local;
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    assert_null(shmheap_handle_to_ptr(heap, shmheap_ptr_to_handle(heap, NULL)));
    assert_null(shmheap_handle_to_ptr(heap, shmheap_ptr_to_handle(heap, &local)));
    assert_null(shmheap_handle_to_ptr(heap, (shmheap_object_handle){UINT64_MAX}));
    assert_null(shmheap_handle_to_ptr(heap, (shmheap_object_handle){1 << 30}));
    shmheap_destroy(shared_name(), heap);
}

/* ---- growth -------------------------------------------------------------------------------------
 */

static void a_full_heap_grows_and_pointers_stay(void **state)
{
    (void)state;
    enum { OBJECTS = 3000, BYTES = 1000 };
    static char *objects[OBJECTS];
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    shmheap_memory_handle early = shmheap_connect(shared_name());
    char *base = shmheap_underlying(heap);
    for (int i = 0; i < OBJECTS; i++) {
        objects[i] = shmheap_alloc(heap, BYTES);
        assert_int_equal(shared_offset(heap, objects[i]), SHARED_FIRST + i * (BYTES + SHARED_GAP));
        memset(objects[i], i, BYTES);
    }
    assert_ptr_equal(shmheap_underlying(heap), base);
    for (int i = 0; i < OBJECTS; i++) {
        char *same = shmheap_handle_to_ptr(early, shmheap_ptr_to_handle(heap, objects[i]));
        assert_int_equal(same[BYTES - 1], (char)i);
    }
    char *large = shmheap_alloc(early, 40 << 20);
    large[(40 << 20) - 1] = 1;
    for (int i = 0; i < OBJECTS; i++)
        shmheap_free(i % 2 ? heap : early,
                     i % 2 ? objects[i]
                           : (char *)shmheap_underlying(early) + shared_offset(heap, objects[i]));
    shmheap_free(early, large);
    shared_assert_sound(heap);
    assert_int_equal(shared_offset(heap, shmheap_alloc(heap, 20 << 20)), SHARED_FIRST);
    shmheap_disconnect(early);
    shmheap_destroy(shared_name(), heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_text),
        cmocka_unit_test(sizes_are_rounded_up_to_eight),
        cmocka_unit_test(a_fresh_heap_has_room_for_all_but_eighty_bytes),
        cmocka_unit_test(a_million_calls_place_like_a_walk_over_all_blocks),
        cmocka_unit_test(one_heap_mapped_twice_is_one_heap),
        cmocka_unit_test(many_heaps_at_once),
        cmocka_unit_test(null_and_outside_become_nothing),
        cmocka_unit_test(a_full_heap_grows_and_pointers_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
