/* system: what it adds to malloc. */
#include <string.h>

#include "allocators/spec.h"
#include "tests/allocators/support/sanitized.h"
#include "tests/unit.h"

static struct heap *make(void)
{
    static struct spec spec;
    struct region region;
    struct heap *heap = NULL;
    struct err err;
    if (spec_parse(&spec, "system", &err) || spec_create(&spec, &region, NULL, &heap, &err))
        fail_msg("%s", err.text);
    return heap;
}

/* Free blocks between live ones: nothing goes back before it is asked for. */
static void trim_gives_back_what_is_free(void **state)
{
    (void)state;
    enum { BLOCKS = 2000, SIZE = 20000 };
    static char *blocks[BLOCKS];
    struct heap *heap = make();
    if (sanitized)
        skip();
    for (int i = 0; i < BLOCKS; i++)
        memset(blocks[i] = heap_alloc(heap, SIZE), 1, SIZE);
    for (int i = 0; i < BLOCKS; i++)
        if (i % 100)
            heap_free(heap, blocks[i]);
    size_t back = heap_trim(heap);
    for (int i = 0; i < BLOCKS; i += 100) {
        assert_int_equal(blocks[i][SIZE - 1], 1);
        heap_free(heap, blocks[i]);
    }
    assert_in_range(back, BLOCKS * SIZE / 2, BLOCKS * SIZE * 2);
}

static void heaps_of_a_process_are_one(void **state)
{
    (void)state;
    struct heap *first = make(), *second = make();
    assert_ptr_equal(first, second);
    void *block = heap_alloc(first, 10);
    heap_destroy(first);
    heap_free(second, block);
    heap_destroy(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trim_gives_back_what_is_free),
        cmocka_unit_test(heaps_of_a_process_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
