/* Bad calls to the classic shared-memory heap interface: refused, told, and harmless. */
#include "tests/unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/allocators/support/capture.h"
#include "tests/allocators/support/shared.h"

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
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        errno = 0;
        assert_null(shmheap_alloc(heap, sizes[i]));
        assert_int_not_equal(errno, 0);
    }
    assert_int_equal(shared_offset(heap, shmheap_alloc(heap, 8)), SHARED_FIRST);
    shared_assert_sound(heap);
    shmheap_destroy(shared_name(), heap);
    assert_true(shared_is_nothing(shmheap_create(shared_fresh_name(), 0)));
    assert_true(shared_is_nothing(shmheap_create(shared_fresh_name(), SIZE_MAX)));
    assert_true(shared_is_nothing(shmheap_create(NULL, 4096)));
    assert_true(shared_is_nothing(shmheap_connect(NULL)));
    assert_true(shared_is_nothing(shmheap_connect(shared_name())));
}

static void bad_frees_write_a_line_and_change_nothing(void **state)
{
    (void)state;
    int local;
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    shmheap_memory_handle other = shmheap_connect(shared_name());
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
                   (void *)shared_inside(heap),
                   (void *)UINTPTR_MAX,
                   shmheap_underlying(other)};
    const unsigned count = sizeof bad / sizeof *bad;
    capture_begin(STDERR_FILENO);
    for (unsigned i = 0; i < count; i++)
        shmheap_free(heap, bad[i]);
    assert_int_equal(capture_end_lines(), count);
    shared_assert_sound(heap);
    assert_ptr_equal(shmheap_alloc(heap, 80), freed);
    shmheap_disconnect(other);
    shmheap_destroy(shared_name(), heap);
}

static void an_overwritten_seal_is_reported_and_does_no_harm(void **state)
{
    (void)state;
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    uint64_t *a = shmheap_alloc(heap, 8), *b = shmheap_alloc(heap, 8), *c = shmheap_alloc(heap, 8);
    a[1] = 99; /* runs over its end */
    capture_begin(STDERR_FILENO);
    shmheap_free(heap, b);
    assert_int_equal(capture_end_lines(), 1);
    shared_assert_sound(heap);
    assert_ptr_equal(shmheap_alloc(heap, 8), b);
    capture_begin(STDERR_FILENO);
    shmheap_free(heap, b);
    shmheap_free(heap, c);
    shmheap_free(heap, a);
    assert_int_equal(capture_end_lines(), 0);
    shmheap_destroy(shared_name(), heap);
}

static void a_handle_that_is_not_connected_is_refused(void **state)
{
    (void)state;
    static const shmheap_memory_handle nothing;
    shmheap_memory_handle heap = shmheap_create(shared_fresh_name(), 4096);
    shmheap_memory_handle gone = shmheap_connect(shared_name());
    void *object = shmheap_alloc(gone, 8);
    shmheap_object_handle handle = shmheap_ptr_to_handle(gone, object);
    shmheap_disconnect(gone);
    capture_begin(STDERR_FILENO);
    shmheap_memory_handle forged = {heap.object, heap.id + 2};
    void *closed = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(closed, MAP_FAILED);
    shmheap_memory_handle unreadable = {closed, heap.id};
    shmheap_memory_handle stale[] = {gone, nothing, forged, unreadable};
    const unsigned count = sizeof stale / sizeof *stale;
    for (size_t i = 0; i < count; i++) {
        assert_null(shmheap_alloc(stale[i], 8));
        assert_null(shmheap_underlying(stale[i]));
        assert_null(shmheap_handle_to_ptr(stale[i], handle));
        assert_int_equal(shmheap_ptr_to_handle(stale[i], object).offset, 0);
        shmheap_free(stale[i], object);
        shmheap_disconnect(stale[i]);
        shmheap_destroy(shared_name(), stale[i]);
    }
    assert_int_equal(capture_end_lines(), 3 * count);
    munmap(closed, 4096);
    assert_int_equal(shared_offset(heap, shmheap_alloc(heap, 8)), SHARED_FIRST + 16);
    shmheap_destroy(shared_name(), heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(bad_frees_write_a_line_and_change_nothing),
        cmocka_unit_test(an_overwritten_seal_is_reported_and_does_no_harm),
        cmocka_unit_test(a_handle_that_is_not_connected_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
