/* The classic shared-memory heap interface in one process: placement, handles, bad calls. */
#include "tests/unit.h"

#include <errno.h>
#include <stdbool.h>

#include "allocators/api/mmf.h"
#include "allocators/api/shmheap.h"
#include "allocators/shm/object.h"
#include "harness/base/rng.h"

enum { FIRST = 16, GAP = 8 };

static char name[64];

static const char *fresh_name(void)
{
    static unsigned serial;
    snprintf(name, sizeof name, "/heapbench-test-%d-%u", (int)getpid(), serial++);
    return name;
}

static size_t offset_of(shmheap_memory_handle heap, const void *pointer)
{
    return (size_t)((const char *)pointer - (const char *)shmheap_underlying(heap));
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

static bool is_nothing(shmheap_memory_handle heap)
{
    static const shmheap_memory_handle nothing;
    return memcmp(&heap, &nothing, sizeof heap) == 0 && shmheap_underlying(heap) == NULL;
}

/* ---- what is written to stderr ------------------------------------------------------------------
 */

static int stderr_kept, stderr_read;

static void stderr_catch(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    stderr_kept = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    stderr_read = ends[0];
}

/* Lines written since stderr_catch. */
static unsigned stderr_lines(void)
{
    char text[4096];
    dup2(stderr_kept, STDERR_FILENO);
    close(stderr_kept);
    ssize_t length = read(stderr_read, text, sizeof text);
    close(stderr_read);
    unsigned lines = 0;
    for (ssize_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines;
}

/* ---- placement ----------------------------------------------------------------------------------
 */

static void the_example_of_the_text(void **state)
{
    (void)state;
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    void *a = shmheap_alloc(heap, 80), *b = shmheap_alloc(heap, 120), *c = shmheap_alloc(heap, 56);
    assert_int_equal(offset_of(heap, a), 16);
    assert_int_equal(offset_of(heap, b), 16 + 80 + 8);
    assert_int_equal(offset_of(heap, c), 16 + 80 + 8 + 120 + 8);
    shmheap_free(heap, b);
    assert_ptr_equal(shmheap_alloc(heap, 64), b);
    void *d = shmheap_alloc(heap, 72);
    assert_int_equal(offset_of(heap, d), offset_of(heap, c) + 56 + 8);
    shmheap_free(heap, c);
    assert_sound(heap);
    /* 120 less 64 and its bookkeeping, the bookkeeping of c and its 56 bytes. */
    void *e = shmheap_alloc(heap, 120 - 64 - 8 + 8 + 56);
    assert_int_equal(offset_of(heap, e), offset_of(heap, b) + 64 + 8);
    assert_sound(heap);
    shmheap_destroy(name, heap);
}

static void sizes_are_rounded_up_to_eight(void **state)
{
    (void)state;
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    size_t expected = FIRST;
    for (size_t size = 1; size <= 40; size++) {
        char *object = shmheap_alloc(heap, size);
        assert_int_equal(offset_of(heap, object), expected);
        assert_int_equal((uintptr_t)object % 8, 0);
        expected += (size + 7) / 8 * 8 + GAP;
    }
    shmheap_destroy(name, heap);
}

static void a_fresh_heap_has_room_for_all_but_eighty_bytes(void **state)
{
    (void)state;
    static const size_t lengths[] = {96,   128,  1000,  4095,   4096,        4097,
                                     4099, 8192, 65535, 100001, 1024 * 1024, 64 * 1024 * 1024};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        shmheap_memory_handle heap = shmheap_create(fresh_name(), lengths[i]);
        size_t before = shm_heap_size(inside(heap));
        char *object = shmheap_alloc(heap, lengths[i] - 80);
        assert_int_equal(offset_of(heap, object), FIRST);
        memset(object, 7, lengths[i] - 80);
        assert_int_equal(shm_heap_size(inside(heap)), before);
        assert_sound(heap);
        shmheap_destroy(name, heap);
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
    shmheap_memory_handle heap = shmheap_create(fresh_name(), LENGTH);
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
        assert_int_equal(offset_of(heap, live[count]), at[count] + 8);
        count++;
    }
    assert_sound(heap);
    shmheap_destroy(name, heap);
}

/* ---- handles ------------------------------------------------------------------------------------
 */

static void one_heap_mapped_twice_is_one_heap(void **state)
{
    (void)state;
    shmheap_memory_handle here = shmheap_create(fresh_name(), 4096);
    shmheap_memory_handle there = shmheap_connect(name);
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
    shmheap_destroy(name, here);
}

static void many_heaps_at_once(void **state)
{
    (void)state;
    enum { HEAPS = 20 };
    shmheap_memory_handle heaps[HEAPS];
    char names[HEAPS][64];
    for (int i = 0; i < HEAPS; i++) {
        strcpy(names[i], fresh_name());
        heaps[i] = shmheap_create(names[i], 4096 + (size_t)i);
    }
    for (int round = 0; round < 50; round++)
        for (int i = 0; i < HEAPS; i++) {
            int *object = shmheap_alloc(heaps[i], 24);
            assert_int_equal(offset_of(heaps[i], object), FIRST + round * 32);
            *object = round * HEAPS + i;
        }
    for (int i = 0; i < HEAPS; i++) {
        for (int round = 0; round < 50; round++)
            assert_int_equal(*(int *)((char *)shmheap_underlying(heaps[i]) + FIRST + round * 32),
                             round * HEAPS + i);
        shmheap_destroy(names[i], heaps[i]);
    }
}

static void null_and_outside_become_nothing(void **state)
{
    (void)state;
    int local;
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    assert_null(shmheap_handle_to_ptr(heap, shmheap_ptr_to_handle(heap, NULL)));
    assert_null(shmheap_handle_to_ptr(heap, shmheap_ptr_to_handle(heap, &local)));
    assert_null(shmheap_handle_to_ptr(heap, (shmheap_object_handle){UINT64_MAX}));
    assert_null(shmheap_handle_to_ptr(heap, (shmheap_object_handle){1 << 30}));
    shmheap_destroy(name, heap);
}

/* ---- bad calls ----------------------------------------------------------------------------------
 */

static void impossible_sizes_are_refused(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,
                                   SIZE_MAX,
                                   SIZE_MAX - 7,
                                   SIZE_MAX - 8,
                                   SIZE_MAX - 15,
                                   SIZE_MAX / 2,
                                   SIZE_MAX / 2 + 1,
                                   (size_t)1 << 40,
                                   (size_t)1 << 63};
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        errno = 0;
        assert_null(shmheap_alloc(heap, sizes[i]));
        assert_int_not_equal(errno, 0);
    }
    assert_int_equal(offset_of(heap, shmheap_alloc(heap, 8)), FIRST);
    assert_sound(heap);
    shmheap_destroy(name, heap);
    assert_true(is_nothing(shmheap_create(fresh_name(), 0)));
    assert_true(is_nothing(shmheap_create(fresh_name(), SIZE_MAX)));
    assert_true(is_nothing(shmheap_create(NULL, 4096)));
    assert_true(is_nothing(shmheap_connect(NULL)));
    assert_true(is_nothing(shmheap_connect(name)));
}

static void bad_frees_write_a_line_and_change_nothing(void **state)
{
    (void)state;
    int local;
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    shmheap_memory_handle other = shmheap_connect(name);
    uint64_t *object = shmheap_alloc(heap, 800);
    uint64_t *freed = shmheap_alloc(heap, 80);
    shmheap_free(heap, freed);
    for (size_t i = 0; i < 100; i++)
        object[i] = object[-1]; /* what stands before a live object, everywhere in it */
    char *base = shmheap_underlying(heap);
    void *bad[] = {NULL,
                   &local,
                   object + 1,
                   (char *)object + 1,
                   object + 2,
                   object - 1,
                   base,
                   freed,
                   base + 4096,
                   base - 8,
                   base + (1 << 20),
                   (void *)inside(heap),
                   (void *)UINTPTR_MAX,
                   shmheap_underlying(other)};
    const unsigned count = sizeof bad / sizeof *bad;
    stderr_catch();
    for (unsigned i = 0; i < count; i++)
        shmheap_free(heap, bad[i]);
    assert_int_equal(stderr_lines(), count);
    assert_sound(heap);
    assert_ptr_equal(shmheap_alloc(heap, 80), freed);
    shmheap_disconnect(other);
    shmheap_destroy(name, heap);
}

static void an_overwritten_seal_is_reported_and_does_no_harm(void **state)
{
    (void)state;
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    uint64_t *a = shmheap_alloc(heap, 8), *b = shmheap_alloc(heap, 8), *c = shmheap_alloc(heap, 8);
    a[1] = 99; /* runs over its end */
    stderr_catch();
    shmheap_free(heap, b);
    assert_int_equal(stderr_lines(), 1);
    assert_sound(heap);
    assert_ptr_equal(shmheap_alloc(heap, 8), b);
    stderr_catch();
    shmheap_free(heap, b);
    shmheap_free(heap, c);
    shmheap_free(heap, a);
    assert_int_equal(stderr_lines(), 0);
    shmheap_destroy(name, heap);
}

static void a_handle_that_is_not_connected_is_refused(void **state)
{
    (void)state;
    static const shmheap_memory_handle nothing;
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    shmheap_memory_handle gone = shmheap_connect(name);
    void *object = shmheap_alloc(gone, 8);
    shmheap_object_handle handle = shmheap_ptr_to_handle(gone, object);
    shmheap_disconnect(gone);
    stderr_catch();
    shmheap_memory_handle forged = {heap.object, heap.id + 2};
    shmheap_memory_handle stale[] = {gone, nothing, forged};
    for (size_t i = 0; i < 3; i++) {
        assert_null(shmheap_alloc(stale[i], 8));
        assert_null(shmheap_underlying(stale[i]));
        assert_null(shmheap_handle_to_ptr(stale[i], handle));
        assert_int_equal(shmheap_ptr_to_handle(stale[i], object).offset, 0);
        shmheap_free(stale[i], object);
        shmheap_disconnect(stale[i]);
        shmheap_destroy(name, stale[i]);
    }
    assert_int_equal(stderr_lines(), 9);
    assert_int_equal(offset_of(heap, shmheap_alloc(heap, 8)), FIRST + 16);
    shmheap_destroy(name, heap);
}

/* ---- names and mappings -------------------------------------------------------------------------
 */

static unsigned count_mappings(void)
{
    char line[512];
    unsigned count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps))
        count += strstr(line, "heapbench-test") != NULL;
    fclose(maps);
    return count;
}

static void nothing_is_left_behind(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
        shmheap_memory_handle more = shmheap_connect(name);
        assert_non_null(shmheap_alloc(more, 100));
        assert_true(count_mappings() > 0);
        shmheap_disconnect(more);
        shmheap_destroy(name, heap);
        assert_int_equal(count_mappings(), 0);
        assert_int_equal(shm_open(name, O_RDWR, 0), -1);
    }
}

static void the_object_is_the_owner_s_alone(void **state)
{
    (void)state;
    struct stat status;
    mode_t mask = umask(0);
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    umask(mask);
    int file = shm_open(name, O_RDONLY, 0);
    assert_int_equal(fstat(file, &status), 0);
    close(file);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(status.st_blocks * 512 < 256 * 1024);
    shmheap_destroy(name, heap);
}

static void a_taken_name_is_refused_and_kept(void **state)
{
    (void)state;
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    errno = 0;
    assert_true(is_nothing(shmheap_create(name, 4096)));
    assert_int_equal(errno, EEXIST);
    assert_non_null(shmheap_alloc(heap, 8));
    shmheap_memory_handle again = shmheap_connect(name);
    assert_false(is_nothing(again));
    shmheap_disconnect(again);
    shmheap_destroy(name, heap);
}

static void destroy_removes_no_other_name(void **state)
{
    (void)state;
    char other_name[64];
    shmheap_memory_handle other = shmheap_create(strcpy(other_name, fresh_name()), 4096);
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    stderr_catch();
    shmheap_destroy(other_name, heap);
    shmheap_destroy(NULL, heap);
    assert_int_equal(stderr_lines(), 2);
    assert_non_null(shmheap_alloc(heap, 8));
    shmheap_destroy(name, heap);
    shmheap_destroy(other_name, other);
}

/* Connects to an object with these contents and this length. */
static bool is_refused(const void *contents, size_t bytes, off_t length)
{
    int file = shm_open(fresh_name(), O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_int_equal(pwrite(file, contents, bytes, 0), bytes);
    assert_int_equal(ftruncate(file, length), 0);
    close(file);
    errno = 0;
    shmheap_memory_handle heap = shmheap_connect(name);
    bool refused = is_nothing(heap) && errno == EINVAL;
    if (!is_nothing(heap))
        shmheap_disconnect(heap);
    shm_unlink(name);
    return refused;
}

static void connect_refuses_what_is_no_heap(void **state)
{
    (void)state;
    struct shm_heap head, wrong;
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    memcpy(&head, inside(heap), sizeof head);
    off_t length = (off_t)head.data_at + 4096;
    shmheap_destroy(name, heap);
    assert_false(is_refused(&head, sizeof head, length));
    assert_true(is_refused("", 0, 0));
    assert_true(is_refused("hello", 5, 5));
    assert_true(is_refused("hello", 5, length));
    assert_true(is_refused("", 0, (off_t)1 << 42));
    assert_true(is_refused(&head, sizeof head, sizeof head));
    assert_true(is_refused(&head, sizeof head, length - 4096));
    assert_true(is_refused(&head, sizeof head, length - 1));
    assert_true(is_refused(&head, sizeof head, (off_t)1 << 42));
    for (unsigned what = 0; what < 8; what++) {
        wrong = head;
        switch (what) {
        case 0:
            wrong.magic[0] ^= 1;
            break;
        case 1:
            wrong.version++;
            break;
        case 2:
            wrong.lock_bytes++;
            break;
        case 3:
            wrong.data_at += 4096;
            break;
        case 4:
            wrong.space.capacity = UINT64_MAX;
            break;
        case 5:
            wrong.space.units = wrong.space.capacity + 1;
            break;
        case 6:
            wrong.space.part_at[3] += 64;
            break;
        default:
            wrong.space.top = wrong.space.units + 1;
            break;
        }
        assert_true(is_refused(&wrong, sizeof wrong, length));
    }
    assert_true(is_nothing(shmheap_connect("/heapbench-test-there-is-none")));
    assert_int_equal(errno, ENOENT);
}

/* ---- growth -------------------------------------------------------------------------------------
 */

static void a_full_heap_grows_and_pointers_stay(void **state)
{
    (void)state;
    enum { OBJECTS = 3000, BYTES = 1000 };
    static char *objects[OBJECTS];
    shmheap_memory_handle heap = shmheap_create(fresh_name(), 4096);
    shmheap_memory_handle early = shmheap_connect(name);
    char *base = shmheap_underlying(heap);
    for (int i = 0; i < OBJECTS; i++) {
        objects[i] = shmheap_alloc(heap, BYTES);
        assert_int_equal(offset_of(heap, objects[i]), FIRST + i * (BYTES + GAP));
        memset(objects[i], i, BYTES);
    }
    assert_ptr_equal(shmheap_underlying(heap), base);
    for (int i = 0; i < OBJECTS; i++) {
        char *same = shmheap_handle_to_ptr(early, shmheap_ptr_to_handle(heap, objects[i]));
        assert_int_equal(same[BYTES - 1], (char)i);
    }
    char *large = shmheap_alloc(early, 100 << 20);
    large[(100 << 20) - 1] = 1;
    for (int i = 0; i < OBJECTS; i++)
        shmheap_free(i % 2 ? heap : early,
                     i % 2 ? objects[i]
                           : (char *)shmheap_underlying(early) + offset_of(heap, objects[i]));
    shmheap_free(early, large);
    assert_sound(heap);
    assert_int_equal(offset_of(heap, shmheap_alloc(heap, 50 << 20)), FIRST);
    shmheap_disconnect(early);
    shmheap_destroy(name, heap);
}

/* ---- mapped files -------------------------------------------------------------------------------
 */

static void a_mapped_file_is_shared_and_really_unmapped(void **state)
{
    (void)state;
    char path[] = "/tmp/heapbench-test-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    char *first = mmf_create_or_open(path, 8192), *second = mmf_create_or_open(path, 8192);
    assert_non_null(first);
    assert_ptr_not_equal(first, second);
    first[8191] = 42;
    assert_int_equal(second[8191], 42);
    assert_true(count_mappings() == 2);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 8192);
    assert_null(mmf_create_or_open(path, 4096));
    assert_null(mmf_create_or_open(path, 16384));
    mmf_close(first, 8192);
    mmf_close(second, 8192);
    assert_int_equal(count_mappings(), 0);
    first = mmf_create_or_open(path, 8192);
    assert_int_equal(first[8191], 42);
    mmf_close(first, 8192);
    unlink(path);
}

static void bad_mappings_are_refused(void **state)
{
    (void)state;
    assert_null(mmf_create_or_open(NULL, 4096));
    assert_null(mmf_create_or_open("/tmp", 4096));
    assert_null(mmf_create_or_open("/dev/null", 4096));
    assert_null(mmf_create_or_open("/there/is/no/such/folder", 4096));
    assert_null(mmf_create_or_open("/tmp/heapbench-test-none", 0));
    assert_null(mmf_create_or_open("/tmp/heapbench-test-none", SIZE_MAX));
    char *page = aligned_alloc(4096, 8192);
    memset(page, 3, 8192);
    stderr_catch();
    mmf_close(NULL, 4096);
    mmf_close(page, 4096);
    mmf_close(page + 1, 4096);
    mmf_close(page, 0);
    mmf_close(page, SIZE_MAX);
    assert_int_equal(stderr_lines(), 5);
    assert_int_equal(page[4095], 3);
    free(page);
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
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(bad_frees_write_a_line_and_change_nothing),
        cmocka_unit_test(an_overwritten_seal_is_reported_and_does_no_harm),
        cmocka_unit_test(a_handle_that_is_not_connected_is_refused),
        cmocka_unit_test(nothing_is_left_behind),
        cmocka_unit_test(the_object_is_the_owner_s_alone),
        cmocka_unit_test(a_taken_name_is_refused_and_kept),
        cmocka_unit_test(destroy_removes_no_other_name),
        cmocka_unit_test(connect_refuses_what_is_no_heap),
        cmocka_unit_test(a_full_heap_grows_and_pointers_stay),
        cmocka_unit_test(a_mapped_file_is_shared_and_really_unmapped),
        cmocka_unit_test(bad_mappings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
