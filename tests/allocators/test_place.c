/* The preload's blocks on a backend that knows less than malloc must: no alignment above 8, no
 * usable size, every address 8 beside a multiple of 16. And the table that remembers them. */
#include "allocators/preload/place.h"

#include <string.h>

#include "allocators/layer.h"
#include "allocators/spec.h"
#include "tests/allocators/support/ledger.h"
#include "tests/unit.h"

static struct region region;

static void *askew_alloc(struct heap *heap, size_t size)
{
    char *block = heap_alloc(layer_inner(heap), size + 8);
    return block ? block + 8 : NULL;
}

static void askew_free(struct heap *heap, void *ref)
{
    heap_free(layer_inner(heap), (char *)ref - 8);
}

static bool askew_owns(struct heap *heap, const void *pointer)
{
    return heap_owns(layer_inner(heap), (const char *)pointer - 8);
}

static struct heap *askew_make(void)
{
    static struct spec spec;
    struct heap *heap = NULL;
    assert_int_equal(spec_parse(&spec, "first-fit+checked", NULL), 0);
    assert_int_equal(spec_create(&spec, &region, NULL, &heap, NULL), 0);
    struct layer_heap *layer = layer_create(heap, sizeof *layer, "askew", NULL);
    assert_non_null(layer);
    layer->table.align = 8;
    layer->table.alloc = askew_alloc;
    layer->table.free = askew_free;
    layer->table.owns = askew_owns;
    layer->table.alloc_aligned = NULL;
    layer->table.zalloc = NULL;
    layer->table.realloc = NULL;
    layer->table.walk = NULL;
    layer->table.usable_size = NULL;
    return &layer->heap;
}

static void place_end(struct place *place)
{
    char why[200] = "";
    if (heap_check(place->heap, why, sizeof why))
        fail_msg("%s", why);
    assert_int_equal(place->blocks.live, 0);
    block_table_release(&place->blocks);
    heap_destroy(place->heap);
    region_release(&region);
}

static void blocks_are_aligned_zeroed_and_sized(void **state)
{
    (void)state;
    struct place place;
    assert_int_equal(place_init(&place, askew_make(), NULL), 0);
    for (size_t align = 8; align <= 1 << 16; align *= 2)
        for (size_t size = 1; size < 3000; size = size * 3 + 1) {
            unsigned char *block = place_alloc(&place, align, size, true);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block & (align - 1), 0);
            assert_int_equal(place_usable(&place, block), size);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(block[i], 0);
            memset(block, 0xff, size);
            assert_true(place_owns(&place, block));
            assert_true(place_free(&place, block));
        }
    assert_null(place_alloc(&place, 4096, SIZE_MAX - 100, false));
    place_end(&place);
}

/* Grown, shrunk and freed at random: contents kept, and no byte beyond (checked is below). */
static void random_reallocs_keep_their_contents(void **state)
{
    (void)state;
    enum { BLOCKS = 300 };
    static struct block blocks[BLOCKS];
    struct place place;
    struct rng rng;
    rng_init(&rng, 3);
    memset(blocks, 0, sizeof blocks);
    assert_int_equal(place_init(&place, askew_make(), NULL), 0);
    for (int step = 0; step < 20000; step++) {
        struct block *block = &blocks[rng_below(&rng, BLOCKS)];
        size_t size = 1 + rng_below(&rng, 600);
        if (!block->memory)
            block->memory = place_alloc(&place, (size_t)8 << rng_below(&rng, 5), size, false);
        else if (rng_below(&rng, 3)) {
            assert_true(pattern_holds(block->memory, block->size, block->seed));
            size_t kept = size < block->size ? size : block->size;
            block->memory = place_realloc(&place, block->memory, size);
            assert_true(pattern_holds(block->memory, kept, block->seed));
            assert_int_equal((uintptr_t)block->memory & (place_align(size) - 1), 0);
        } else {
            assert_true(place_free(&place, block->memory));
            *block = (struct block){0};
            continue;
        }
        block->size = size;
        block->seed = rng_next(&rng);
        pattern_write(block->memory, size, block->seed);
    }
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i].memory)
            assert_true(place_free(&place, blocks[i].memory));
    place_end(&place);
}

/* What the backend can do by itself leaves nothing in the table. */
static void only_what_must_be_is_remembered(void **state)
{
    (void)state;
    static struct spec spec;
    struct place place;
    struct heap *heap = NULL;
    assert_int_equal(spec_parse(&spec, "first-fit", NULL), 0);
    assert_int_equal(spec_create(&spec, &region, NULL, &heap, NULL), 0);
    assert_int_equal(place_init(&place, heap, NULL), 0);
    char *block = place_alloc(&place, 256, 10, false);
    block = place_realloc(&place, block, 10000);
    assert_int_equal(place.blocks.filled, 0);
    assert_int_equal(place_usable(&place, block), heap_usable_size(heap, block, 0));
    place_free(&place, block);
    place_end(&place);
}

static void the_table_forgets_what_was_freed(void **state)
{
    (void)state;
    struct block_table table;
    assert_true(block_table_init(&table));
    for (uintptr_t round = 0; round < 50; round++) {
        for (uintptr_t i = 1; i <= 1000; i++)
            assert_true(block_table_enter(&table, (void *)(round << 20 | i << 4), NULL, i, round));
        for (uintptr_t i = 1; i <= 1000; i++) {
            struct block_row row = block_table_leave(&table, (void *)(round << 20 | i << 4));
            assert_int_equal(row.state, BLOCK_LIVE);
            assert_int_equal(row.size, i);
            assert_int_equal(row.front, round);
        }
    }
    assert_int_equal(table.live, 0);
    assert_int_equal(table.capacity, 4096);
    assert_int_equal(block_table_leave(&table, (void *)(49 << 20 | 16)).state, BLOCK_FREED);
    assert_int_equal(block_table_find(&table, (void *)8)->state, BLOCK_UNKNOWN);
    block_table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_zeroed_and_sized),
        cmocka_unit_test(random_reallocs_keep_their_contents),
        cmocka_unit_test(only_what_must_be_is_remembered),
        cmocka_unit_test(the_table_forgets_what_was_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
