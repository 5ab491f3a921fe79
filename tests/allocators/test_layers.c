/* What the layers do beyond passing calls on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "allocators/spec.h"
#include "tests/allocators/support/ledger.h"
#include "tests/unit.h"

static struct region region;
static char why[256];

static struct heap *make(const char *text)
{
    static struct spec spec;
    struct err err;
    struct heap *heap = NULL;
    if (spec_parse(&spec, text, &err) || spec_create(&spec, &region, NULL, &heap, &err))
        fail_msg("%s", err.text);
    return heap;
}

static void end(struct heap *heap)
{
    heap_destroy(heap);
    region_release(&region);
}

static void prove_found(struct heap *heap, const char *words)
{
    assert_int_equal(heap_check(heap, why, sizeof why), -EUCLEAN);
    if (!strstr(why, words))
        fail_msg("'%s' does not say '%s'", why, words);
}

static void tables_tell_what_a_layer_changes(void **state)
{
    (void)state;
    struct heap *heap = make("bump+locked");
    assert_int_equal(heap->ops->threads, THREADS_ANY);
    assert_false(allocator_has(heap->ops, ALLOCATOR_NOT_TIMED));
    assert_null(heap->ops->realloc); /* emulated below, emulated above */
    end(heap);
    heap = make("bump+checked");
    assert_int_equal(heap->ops->threads, THREADS_ONE);
    assert_true(allocator_has(heap->ops, ALLOCATOR_NOT_TIMED));
    assert_true(allocator_has(heap->ops, ALLOCATOR_WALK_TILES));
    end(heap);
    heap = make("system+faulty");
    assert_true(allocator_has(heap->ops, ALLOCATOR_NOT_TIMED));
    assert_non_null(heap->ops->realloc);
    assert_null(heap->ops->walk);
    end(heap);
}

/* How long is not asserted, only that the calls go through and the table says what it is. */
static void a_delay_passes_every_call_on(void **state)
{
    (void)state;
    struct heap *heap = make("first-fit+delay:delay=50ns,per=3");
    assert_true(allocator_has(heap->ops, ALLOCATOR_NOT_TIMED));
    char *block[10];
    for (int i = 0; i < 10; i++) {
        block[i] = heap_alloc(heap, 100);
        assert_non_null(block[i]);
        memset(block[i], i, 100);
    }
    block[3] = heap_realloc(heap, block[3], 100, 1000);
    assert_non_null(block[3]);
    assert_int_equal(block[3][99], 3);
    for (int i = 0; i < 10; i++)
        heap_free(heap, block[i]);
    assert_int_equal(heap_check(heap, why, sizeof why), 0);
    end(heap);
}

/* The one byte behind and the one before, at any alignment. */
static void overruns_are_found_by_check_and_at_free(void **state)
{
    (void)state;
    static const size_t aligns[] = {8, 64, 4096};
    for (size_t i = 0; i < sizeof aligns / sizeof *aligns; i++)
        for (int side = 0; side < 2; side++) {
            struct heap *heap = make("system+checked");
            char *block = heap_alloc_aligned(heap, aligns[i], 21);
            assert_int_equal(heap_check(heap, why, sizeof why), 0);
            char *byte = side ? block + 21 : block - 1;
            char saved = *byte;
            *byte = 0;
            prove_found(heap, side ? "overrun: the bytes behind the block of 21 bytes"
                                   : "underrun: the bytes before the block of 21 bytes");
            *byte = saved;
            assert_int_equal(heap_check(heap, why, sizeof why), 0);
            *byte = 0;
            heap_free(heap, block);
            prove_found(heap, side ? "overrun" : "underrun"); /* remembered */
            end(heap);
        }
}

static void bad_frees_are_found_and_not_passed_on(void **state)
{
    (void)state;
    struct heap *heap = make("system+checked");
    char *block = heap_alloc(heap, 100), *other = heap_alloc(heap, 50), local = 0;
    heap_free(heap, block);
    heap_free(heap, block);
    prove_found(heap, "double free of the block of 100 bytes");
    heap_free(heap, &local);
    heap_free(heap, other + 1);
    prove_found(heap, "3 faults");
    memset(other, 1, 50);
    heap_free(heap, other);
    end(heap);

    heap = make("system+checked");
    heap_free(heap, &local);
    prove_found(heap, "foreign pointer");
    end(heap);
}

static void a_freed_block_is_poisoned(void **state)
{
    (void)state;
    struct heap *heap = make("bump+checked"); /* whose memory stays readable */
    unsigned char *block = heap_alloc(heap, 40);
    memset(block, 0, 40);
    heap_free(heap, block);
    for (int i = 0; i < 40; i++)
        assert_int_equal(block[i], 0xDB);
    end(heap);
}

/* More blocks than the table begins with, freed in another order than they came. */
static void the_table_of_blocks_grows(void **state)
{
    (void)state;
    enum { BLOCKS = 20000 };
    static void *blocks[BLOCKS];
    struct heap *heap = make("system+checked");
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < BLOCKS; i++)
            assert_non_null(blocks[i] = heap_alloc(heap, 1 + i % 50));
        for (size_t i = 0; i < BLOCKS; i++)
            assert_int_equal(heap_usable_size(heap, blocks[i], 0), 1 + i % 50);
        for (size_t i = 0; i < BLOCKS; i++)
            heap_free(heap, blocks[i * 7919 % BLOCKS]);
    }
    assert_int_equal(heap_check(heap, why, sizeof why), 0);
    end(heap);
}

/* Which of a hundred allocations fail, as a string of 0 and 1. */
static const char *failures(const char *text, char out[101])
{
    struct heap *heap = make(text);
    for (int i = 0; i < 100; i++)
        out[i] = heap_alloc(heap, 8) ? '0' : '1';
    out[100] = '\0';
    end(heap);
    return out;
}

static size_t count(const char *text, char wanted)
{
    size_t found = 0;
    for (; *text; text++)
        found += *text == wanted;
    return found;
}

static void failures_come_as_ordered(void **state)
{
    (void)state;
    char one[101], other[101];
    assert_int_equal(count(failures("bump+faulty", one), '1'), 0);
    assert_memory_equal(failures("bump+faulty:every=3", one), "001001001", 9);
    assert_memory_equal(failures("bump+faulty:after=4", one), "000011111", 9);
    assert_int_equal(count(one, '1'), 96);
    failures("bump+faulty:random=4", one);
    assert_in_range(count(one, '1'), 10, 45);
    assert_string_equal(one, failures("bump+faulty:random=4", other));
    assert_string_not_equal(one, failures("bump+faulty:random=4,seed=2", other));
}

static void every_way_to_allocate_fails_and_nothing_is_lost(void **state)
{
    (void)state;
    struct heap *heap = make("system+faulty:every=2");
    char *block = heap_alloc(heap, 10);
    memset(block, 7, 10);
    assert_null(heap_zalloc(heap, 10));
    void *aligned = heap_alloc_aligned(heap, 64, 10);
    assert_non_null(aligned);
    assert_null(heap_realloc(heap, block, 10, 1000));
    assert_int_equal(block[9], 7);
    block = heap_realloc(heap, block, 10, 1000);
    assert_non_null(block);
    assert_null(heap_alloc_aligned(heap, 64, 10));
    heap_free(heap, block);
    heap_free(heap, aligned);
    end(heap);
}

/* Under failures nothing may leak into the layers around it. */
static void stacks_survive_failures(void **state)
{
    (void)state;
    static const char *const stacks[] = {"system+faulty+checked:random=5",
                                         "system+checked+faulty:every=3",
                                         "bump+faulty+locked+checked:random=3"};
    for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
        struct heap *heap = make(stacks[i]);
        struct ledger *ledger = ledger_create(heap);
        struct rng rng;
        rng_init(&rng, i);
        for (int step = 0; step < 3000; step++)
            ledger_step(ledger, &rng, 200, 4000);
        ledger_prove(ledger);
        assert_int_equal(heap_check(heap, why, sizeof why), 0);
        ledger_free_all(ledger);
        ledger_destroy(ledger);
        end(heap);
    }
}

/* What system could do in place is done by a new block, with the contents. */
static void moving_never_resizes_in_place(void **state)
{
    (void)state;
    struct heap *heap = make("system+moving");
    assert_null(heap->ops->realloc);
    char *block = heap_alloc(heap, 1000);
    memset(block, 7, 1000);
    for (size_t size = 999; size > 900; size--) {
        char *moved = heap_realloc(heap, block, size + 1, size);
        assert_ptr_not_equal(moved, block);
        assert_true(moved[0] == 7 && moved[size - 1] == 7);
        block = moved;
    }
    heap_free(heap, block);
    end(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delay_passes_every_call_on),
        cmocka_unit_test(tables_tell_what_a_layer_changes),
        cmocka_unit_test(overruns_are_found_by_check_and_at_free),
        cmocka_unit_test(bad_frees_are_found_and_not_passed_on),
        cmocka_unit_test(a_freed_block_is_poisoned),
        cmocka_unit_test(the_table_of_blocks_grows),
        cmocka_unit_test(failures_come_as_ordered),
        cmocka_unit_test(every_way_to_allocate_fails_and_nothing_is_lost),
        cmocka_unit_test(stacks_survive_failures),
        cmocka_unit_test(moving_never_resizes_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
