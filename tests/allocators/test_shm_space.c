/* The space of units against a reference that knows nothing but a list and walks all of it. */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "allocators/shm/space.h"
#include "harness/base/pages.h"
#include "harness/base/rng.h"

enum { CAPACITY = 1 << 22, FIRST = 1 };

static struct space *space_make(uint64_t units)
{
    struct space plan;
    size_t bytes = space_layout(&plan, CAPACITY, sizeof plan);
    struct space *space = pages_map_lazy(bytes);
    assert_non_null(space);
    space_layout(space, CAPACITY, sizeof *space);
    space_init(space, FIRST, units);
    return space;
}

static void space_drop(struct space *space)
{
    struct space plan;
    pages_unmap(space, space_layout(&plan, CAPACITY, sizeof plan));
}

static void assert_sound(const struct space *space)
{
    const char *flaw = space_flaw(space);
    if (flaw)
        fail_msg("%s", flaw);
}

/* ---- the reference: every block in address order, searched from the start ----------------------
 */

struct block {
    uint64_t at, units;
    bool free;
};

static struct {
    struct block blocks[4096];
    size_t count;
} naive;

static void naive_init(uint64_t units)
{
    naive.count = 1;
    naive.blocks[0] = (struct block){FIRST, units - FIRST, true};
}

static void naive_insert(size_t place, struct block block)
{
    assert_true(naive.count < 4096);
    memmove(&naive.blocks[place + 1], &naive.blocks[place],
            (naive.count - place) * sizeof(struct block));
    naive.blocks[place] = block;
    naive.count++;
}

static void naive_remove(size_t place)
{
    naive.count--;
    memmove(&naive.blocks[place], &naive.blocks[place + 1],
            (naive.count - place) * sizeof(struct block));
}

static uint64_t naive_alloc(uint64_t units)
{
    for (size_t i = 0; i < naive.count; i++) {
        struct block *block = &naive.blocks[i];
        if (!block->free || block->units < units)
            continue;
        struct block rest = {block->at + units, block->units - units, true};
        *block = (struct block){block->at, units, false};
        if (rest.units)
            naive_insert(i + 1, rest);
        return naive.blocks[i].at;
    }
    return SPACE_NONE;
}

static void naive_free(uint64_t at)
{
    size_t i = 0;
    while (naive.blocks[i].at != at)
        i++;
    naive.blocks[i].free = true;
    if (i + 1 < naive.count && naive.blocks[i + 1].free) {
        naive.blocks[i].units += naive.blocks[i + 1].units;
        naive_remove(i + 1);
    }
    if (i > 0 && naive.blocks[i - 1].free) {
        naive.blocks[i - 1].units += naive.blocks[i].units;
        naive_remove(i);
    }
}

static void assert_same_blocks(const struct space *space)
{
    struct space_block block = {FIRST, 0};
    bool is_free = false;
    size_t i = 0;
    while ((block = space_next(space, block, &is_free)).at != SPACE_NONE) {
        assert_true(i < naive.count);
        assert_int_equal(block.at, naive.blocks[i].at);
        assert_int_equal(block.units, naive.blocks[i].units);
        assert_int_equal(is_free, naive.blocks[i].free);
        i++;
    }
    assert_int_equal(i, naive.count);
}

/* ---- tests -------------------------------------------------------------------------------------
 */

/* Sizes mostly small, now and then up to a few summaries' worth. */
static uint64_t some_units(struct rng *rng)
{
    unsigned scale = (unsigned)rng_below(rng, 100);
    if (scale < 85)
        return 1 + rng_below(rng, 24);
    if (scale < 97)
        return 1 + rng_below(rng, 600);
    return 1 + rng_below(rng, 20000);
}

static void places_like_the_reference(uint64_t seed, unsigned operations, uint64_t units,
                                      size_t most)
{
    static uint64_t live[4096];
    struct space *space = space_make(units);
    struct rng rng;
    size_t count = 0;
    rng_init(&rng, seed);
    naive_init(units);
    for (unsigned i = 0; i < operations; i++) {
        bool shrink = (i / 5000) % 3 == 2;
        if (count && (count == most || rng_below(&rng, 100) < (shrink ? 60u : 45u))) {
            size_t which = rng_below(&rng, count);
            space_free(space, live[which]);
            naive_free(live[which]);
            live[which] = live[--count];
        } else {
            uint64_t size = some_units(&rng);
            uint64_t at = space_alloc(space, size);
            assert_int_equal(at, naive_alloc(size));
            if (at != SPACE_NONE)
                live[count++] = at;
        }
        if (i % 4096 == 0) {
            assert_sound(space);
            assert_same_blocks(space);
        }
    }
    while (count)
        space_free(space, live[--count]);
    assert_sound(space);
    assert_int_equal(space->top, FIRST);
    space_drop(space);
}

static void a_million_operations_place_like_the_reference(void **state)
{
    (void)state;
    places_like_the_reference(1, 500000, 1 << 16, 400);
    places_like_the_reference(2, 300000, 1 << 20, 900);
    places_like_the_reference(3, 200000, 700, 60);
}

static void the_whole_space_is_one_block_or_many(void **state)
{
    (void)state;
    struct space *space = space_make(4096);
    assert_int_equal(space_alloc(space, 4096), SPACE_NONE);
    assert_int_equal(space_alloc(space, 4095), FIRST);
    assert_int_equal(space_alloc(space, 1), SPACE_NONE);
    assert_sound(space);
    space_free(space, FIRST);
    for (uint64_t i = 0; i < 4095; i++)
        assert_int_equal(space_alloc(space, 1), FIRST + i);
    assert_int_equal(space_alloc(space, 1), SPACE_NONE);
    for (uint64_t i = 0; i < 4095; i += 2)
        space_free(space, FIRST + i);
    assert_int_equal(space_alloc(space, 2), SPACE_NONE);
    for (uint64_t i = 1; i < 4095; i += 2)
        space_free(space, FIRST + i);
    assert_sound(space);
    assert_int_equal(space->live_blocks, 0);
    assert_int_equal(space->top, FIRST);
    space_drop(space);
}

static void extending_lengthens_the_top(void **state)
{
    (void)state;
    struct space *space = space_make(64);
    uint64_t a = space_alloc(space, 63);
    assert_int_equal(space_alloc(space, 1), SPACE_NONE);
    space_extend(space, CAPACITY);
    uint64_t b = space_alloc(space, CAPACITY - 64);
    assert_int_equal(b, a + 63);
    assert_sound(space);
    space_free(space, a);
    space_free(space, b);
    assert_sound(space);
    assert_int_equal(space->top, FIRST);
    space_drop(space);
}

static void cut_and_widen_keep_the_blocks_in_order(void **state)
{
    (void)state;
    struct space *space = space_make(100000);
    uint64_t a = space_alloc(space, 10), b = space_alloc(space, 1000), c = space_alloc(space, 10);
    assert_false(space_widen(space, a, 11));
    space_free(space, b);
    assert_false(space_widen(space, a, 1011));
    assert_true(space_widen(space, a, 500));
    assert_sound(space);
    assert_true(space_widen(space, a, 1010));
    assert_sound(space);
    space_cut(space, a + 100);
    assert_int_equal(space_size(space, a), 100);
    assert_int_equal(space_size(space, a + 100), 910);
    space_free(space, a + 100);
    assert_sound(space);
    assert_true(space_widen(space, c, 5000));
    assert_false(space_widen(space, c, 100000));
    assert_sound(space);
    assert_int_equal(space->live_units, 5100);
    space_drop(space);
}

static void repair_derives_everything_from_the_bits(void **state)
{
    (void)state;
    struct space *space = space_make(1 << 18);
    struct rng rng;
    uint64_t live[500];
    rng_init(&rng, 7);
    for (unsigned i = 0; i < 500; i++)
        live[i] = space_alloc(space, some_units(&rng) % 300 + 1);
    for (unsigned i = 0; i < 500; i += 1 + (unsigned)rng_below(&rng, 4))
        space_free(space, live[i]);
    uint64_t blocks = space->live_blocks, units = space->live_units, top = space->top;
    for (unsigned part = 1; part < SPACE_PARTS; part++)
        memset((char *)space + space->part_at[part], 0x25, space_part_bytes(part, space->units));
    space->live_blocks = space->live_units = space->top = 12345;
    memset(space->hint, 0x55, sizeof space->hint);
    space_repair(space);
    assert_sound(space);
    assert_int_equal(space->live_blocks, blocks);
    assert_int_equal(space->live_units, units);
    assert_int_equal(space->top, top);
    space_drop(space);
}

static void only_starts_of_live_blocks_are_live(void **state)
{
    (void)state;
    struct space *space = space_make(1000);
    uint64_t a = space_alloc(space, 10), b = space_alloc(space, 10);
    space_free(space, a);
    for (uint64_t at = 0; at < 1200; at++)
        assert_int_equal(space_is_live(space, at), at == b);
    assert_false(space_is_live(space, SPACE_NONE));
    assert_false(space_is_live(space, (uint64_t)1 << 63));
    space_drop(space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_operations_place_like_the_reference),
        cmocka_unit_test(the_whole_space_is_one_block_or_many),
        cmocka_unit_test(extending_lengthens_the_top),
        cmocka_unit_test(cut_and_widen_keep_the_blocks_in_order),
        cmocka_unit_test(repair_derives_everything_from_the_bits),
        cmocka_unit_test(only_starts_of_live_blocks_are_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
