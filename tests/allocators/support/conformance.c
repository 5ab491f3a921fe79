/* The contract of allocator.h as checks. */
#include "tests/allocators/support/conformance.h"

#include <errno.h>
#include <string.h>

#include "allocators/registry.h"
#include "harness/base/rng.h"
#include "tests/allocators/support/fixture.h"
#include "tests/allocators/support/hammer.h"
#include "tests/unit.h"

/* ---- what a table has, by which the checks are chosen -----------------------------------------
 */

static bool is_any(const struct allocator *table)
{
    (void)table;
    return true;
}

static bool is_real(const struct allocator *table)
{
    return !allocator_has(table, ALLOCATOR_NOT_REAL);
}

static bool is_freeing(const struct allocator *table)
{
    return is_real(table) && !allocator_has(table, ALLOCATOR_NO_FREE);
}

static bool is_limited(const struct allocator *table)
{
    return is_real(table) && table->scope == SCOPE_HEAP;
}

static bool is_walked(const struct allocator *table)
{
    return is_real(table) && table->walk;
}

static bool is_checked(const struct allocator *table)
{
    return is_real(table) && table->check;
}

static bool is_threaded(const struct allocator *table)
{
    return is_real(table) && table->threads != THREADS_ONE;
}

static bool is_owning(const struct allocator *table)
{
    return is_real(table) && table->owns;
}

static bool is_aligning(const struct allocator *table)
{
    return is_real(table) && table->alloc_aligned;
}

/* ---- the checks -------------------------------------------------------------------------------
 */

static void its_table_is_sound(void **state)
{
    const struct subject *subject = *state;
    const char *flaw = allocator_flaw(&subject->table);
    if (flaw)
        fail_msg("%s: %s", subject->spec.text, flaw);
}

static void blocks_are_aligned_apart_and_kept(void **state)
{
    struct fixture fixture;
    fixture_open(&fixture, state, SIZE_MAX);
    for (size_t size = 1; size <= 600; size++)
        assert_true(ledger_alloc(fixture.ledger, size));
    for (size_t size = 1000; size < 2000000; size = size * 3 / 2)
        assert_true(ledger_alloc(fixture.ledger, size));
    ledger_prove(fixture.ledger);
    fixture_prove_sound(&fixture);
    ledger_free_all(fixture.ledger);
    fixture_close(&fixture);
}

static void zalloc_zeroes(void **state)
{
    struct fixture fixture;
    fixture_open(&fixture, state, SIZE_MAX);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 300000; size += size / 2 + 1)
            assert_true(ledger_zalloc(fixture.ledger, size));
        ledger_free_all(fixture.ledger); /* what comes next finds dirty memory */
    }
    fixture_close(&fixture);
}

static void realloc_keeps_the_prefix(void **state)
{
    static const size_t sizes[] = {1,   40,  17,    4000, 3999,   16,    100000, 300000,
                                   150, 151, 50000, 1,    700000, 65536, 64,     63};
    struct fixture fixture;
    fixture_open(&fixture, state, SIZE_MAX);
    struct ledger *ledger = fixture.ledger;
    assert_true(ledger_alloc(ledger, 24));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_true(ledger_alloc(ledger, 24)); /* so that it cannot always grow in place */
        assert_true(ledger_realloc(ledger, ledger->count - 2, sizes[i]));
        ledger_prove(ledger);
    }
    fixture_prove_sound(&fixture);
    ledger_free_all(ledger);
    fixture_close(&fixture);
}

static void large_alignments_hold(void **state)
{
    struct fixture fixture;
    fixture_open(&fixture, state, SIZE_MAX);
    for (size_t align = 8; align <= 1 << 20; align *= 2) {
        assert_true(ledger_alloc_aligned(fixture.ledger, align, 1));
        assert_true(ledger_alloc(fixture.ledger, 30));
        assert_true(ledger_alloc_aligned(fixture.ledger, align, 5000));
    }
    ledger_prove(fixture.ledger);
    fixture_prove_sound(&fixture);
    ledger_free_all(fixture.ledger);
    fixture_close(&fixture);
}

static void sizes_that_overflow_are_refused(void **state)
{
    static const size_t sizes[] = {SIZE_MAX,         SIZE_MAX - 1,     SIZE_MAX - 15,
                                   SIZE_MAX - 31,    SIZE_MAX - 63,    SIZE_MAX - 4096,
                                   SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 8, SIZE_MAX / 4};
    struct fixture fixture;
    fixture_open(&fixture, state, SIZE_MAX);
    struct ledger *ledger = fixture.ledger;
    assert_true(ledger_alloc(ledger, 100));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_false(ledger_alloc(ledger, sizes[i]));
        assert_false(ledger_zalloc(ledger, sizes[i]));
        assert_false(ledger_realloc(ledger, 0, sizes[i]));
        assert_false(heap_can_align(fixture.heap->ops, 4096) &&
                     ledger_alloc_aligned(ledger, 4096, sizes[i]));
    }
    assert_true(ledger_alloc(ledger, 200));
    ledger_prove(ledger);
    fixture_prove_sound(&fixture);
    ledger_free_all(ledger);
    fixture_close(&fixture);
}

enum { EXHAUSTION_LIMIT = 5 << 20, EXHAUSTION_SIZE = 3000 };

static size_t fill(struct ledger *ledger, size_t size)
{
    size_t before = ledger->count;
    while (ledger->count < LEDGER_BLOCKS && ledger_alloc(ledger, size))
        ;
    assert_true(ledger->count < LEDGER_BLOCKS);
    return ledger->count - before;
}

static void exhaustion_is_survived(void **state)
{
    struct fixture fixture;
    fixture_open(&fixture, state, EXHAUSTION_LIMIT);
    struct ledger *ledger = fixture.ledger;
    size_t first = fill(ledger, EXHAUSTION_SIZE);
    assert_true(first > 0);
    assert_true(fixture.region.committed_peak <= EXHAUSTION_LIMIT);
    ledger_realloc(ledger, 0, 20 * EXHAUSTION_SIZE);
    ledger_prove(ledger);
    fixture_prove_sound(&fixture);
    ledger_free_all(ledger);
    if (is_freeing(fixture.heap->ops)) {
        size_t again = fill(ledger, EXHAUSTION_SIZE);
        if (again + first / 10 < first)
            fail_msg("of %zu blocks freed, only %zu could be allocated again", first, again);
        ledger_prove(ledger);
        fixture_prove_sound(&fixture);
        ledger_free_all(ledger);
    }
    fixture_close(&fixture);
}

static void nothing_is_live_in_the_end(void **state)
{
    struct fixture fixture;
    struct heap_stats stats;
    struct rng rng;
    fixture_open(&fixture, state, SIZE_MAX);
    rng_init(&rng, 5);
    for (int i = 0; i < 2000; i++)
        ledger_step(fixture.ledger, &rng, 300, 20000);
    heap_stats(fixture.heap, &stats);
    if (stats.live_blocks != UINT64_MAX)
        assert_int_equal(stats.live_blocks, fixture.ledger->count);
    if (stats.held_bytes != UINT64_MAX && fixture.heap->ops->scope == SCOPE_HEAP)
        assert_int_equal(stats.held_bytes, fixture.region.committed);
    ledger_free_all(fixture.ledger);
    ledger_prove_walk(fixture.ledger);
    heap_stats(fixture.heap, &stats);
    assert_true(stats.live_blocks == 0 || stats.live_blocks == UINT64_MAX);
    assert_true(stats.live_bytes == 0 || stats.live_bytes == UINT64_MAX);
    fixture_close(&fixture);
}

static int stop_at_once(void *arg, const struct span *span)
{
    (void)span;
    ++*(int *)arg;
    return 1;
}

static void spans_tile_their_areas(void **state)
{
    struct fixture fixture;
    struct rng rng;
    int seen = 0;
    fixture_open(&fixture, state, SIZE_MAX);
    rng_init(&rng, 7);
    ledger_prove_walk(fixture.ledger);
    for (int i = 0; i < 200; i++) {
        size_t align = i % 8 ? 8 : 256;
        if (heap_can_align(fixture.heap->ops, align))
            assert_true(ledger_alloc_aligned(fixture.ledger, align, 1 + rng_below(&rng, 9000)));
    }
    ledger_prove_walk(fixture.ledger);
    for (int i = 0; i < 10 && is_freeing(fixture.heap->ops); i++) {
        for (int step = 0; step < 100; step++)
            ledger_step(fixture.ledger, &rng, 400, 50000);
        ledger_prove_walk(fixture.ledger);
    }
    assert_int_equal(heap_walk(fixture.heap, stop_at_once, &seen), 1);
    assert_int_equal(seen, 1);
    fixture_close(&fixture);
}

/* Whether the bytes just before a block are the backend's own. */
static int has_header(void *arg, const struct span *span)
{
    bool *header = arg;
    *header |= span->kind == SPAN_USED && span->ref >= span->start + 8;
    return 0;
}

static void damage_is_found(void **state)
{
    const struct subject *subject = *state;
    struct fixture fixture;
    char why[256] = "", saved[8];
    bool header = subject_has_layer(&subject->spec, &layer_checked);
    fixture_open(&fixture, state, SIZE_MAX);
    for (int i = 0; i < 5; i++)
        assert_true(ledger_alloc(fixture.ledger, 40));
    assert_int_equal(heap_check(fixture.heap, why, sizeof why), 0);
    if (!header)
        heap_walk(fixture.heap, has_header, &header);
    if (header) {
        char *zone = fixture.ledger->blocks[2].memory - sizeof saved;
        memcpy(saved, zone, sizeof saved);
        memset(zone, 0x7f, sizeof saved);
        assert_int_equal(heap_check(fixture.heap, why, sizeof why), -EUCLEAN);
        assert_true(strlen(why) > 10);
        memcpy(zone, saved, sizeof saved);
    }
    fixture_prove_sound(&fixture);
    ledger_free_all(fixture.ledger);
    fixture_close(&fixture);
}

static void trim_takes_nothing_live(void **state)
{
    struct fixture fixture;
    struct rng rng;
    fixture_open(&fixture, state, SIZE_MAX);
    struct ledger *ledger = fixture.ledger;
    rng_init(&rng, 11);
    for (int i = 0; i < 300; i++)
        assert_true(ledger_alloc(ledger, 1 + rng_below(&rng, 30000)));
    for (int i = 0; i < 200; i++)
        ledger_free(ledger, rng_below(&rng, ledger->count));
    heap_trim(fixture.heap);
    ledger_prove(ledger);
    fixture_prove_sound(&fixture);
    for (int i = 0; i < 200; i++)
        assert_true(ledger_zalloc(ledger, 1 + rng_below(&rng, 30000)));
    ledger_free_all(ledger);
    heap_trim(fixture.heap);
    assert_true(ledger_alloc(ledger, 100000));
    fixture_prove_sound(&fixture);
    ledger_free_all(ledger);
    fixture_close(&fixture);
}

static void it_can_be_destroyed_full_and_made_again(void **state)
{
    for (int round = 0; round < 4; round++) {
        struct fixture fixture;
        fixture_open(&fixture, state, SIZE_MAX);
        for (size_t size = 1; size < 100000; size = size * 2 + 1)
            if (is_real(fixture.heap->ops))
                assert_true(ledger_alloc(fixture.ledger, size));
            else
                assert_non_null(heap_alloc(fixture.heap, size));
        if (fixture.heap->ops->scope == SCOPE_PROCESS)
            ledger_free_all(fixture.ledger);
        fixture_close(&fixture);
    }
}

static void random_operations_are_survived(void **state)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct fixture fixture;
        struct rng rng;
        fixture_open(&fixture, state, SIZE_MAX);
        rng_init(&rng, seed);
        for (int i = 0; i < 2000; i++) {
            ledger_step(fixture.ledger, &rng, 100 * seed, (size_t)128 << (3 * seed));
            if (i % 500 != 499)
                continue;
            ledger_prove(fixture.ledger);
            if (is_freeing(fixture.heap->ops))
                ledger_prove_walk(fixture.ledger);
            fixture_prove_sound(&fixture);
        }
        ledger_free_all(fixture.ledger);
        fixture_close(&fixture);
    }
}

/* No pointer near the block but its own. */
static void owns_only_its_start(struct heap *heap, const struct block *block)
{
    assert_true(heap_owns(heap, block->memory));
    for (size_t i = 1; i <= block->size && i < 300; i++)
        assert_false(heap_owns(heap, block->memory + i));
    for (size_t i = 1; i < 8; i++)
        assert_false(heap_owns(heap, block->memory - i));
}

static void it_owns_what_is_live(void **state)
{
    struct fixture fixture;
    struct rng rng;
    uint64_t own[8] = {0};
    fixture_open(&fixture, state, SIZE_MAX);
    struct ledger *ledger = fixture.ledger;
    rng_init(&rng, 13);
    for (int step = 0; step < 1500; step++) {
        ledger_step(ledger, &rng, 200, step % 50 ? 400 : 100000);
        if (ledger->count == 0 || allocator_has(fixture.heap->ops, ALLOCATOR_NO_FREE))
            continue;
        size_t some = rng_below(&rng, ledger->count);
        char *memory = ledger->blocks[some].memory;
        owns_only_its_start(fixture.heap, &ledger->blocks[some]);
        ledger_free(ledger, some);
        assert_false(heap_owns(fixture.heap, memory));
    }
    for (size_t i = 0; i < ledger->count; i++)
        owns_only_its_start(fixture.heap, &ledger->blocks[i]);
    for (unsigned shift = 0; shift < 64; shift++)
        assert_false(heap_owns(fixture.heap, (void *)((uintptr_t)own + ((uintptr_t)1 << shift))));
    assert_false(heap_owns(fixture.heap, NULL));
    ledger_free_all(ledger);
    fixture_close(&fixture);
}

static void threads_share_it(void **state)
{
    struct fixture fixture;
    fixture_open(&fixture, state, SIZE_MAX);
    assert_int_equal(hammer_heap(fixture.heap), 0);
    fixture_prove_sound(&fixture);
    fixture_close(&fixture);
}

const struct conformance_check conformance_checks[CONFORMANCE_CHECKS] = {
    {"its table is sound", its_table_is_sound, is_any},
    {"destroyed full and made again", it_can_be_destroyed_full_and_made_again, is_any},
    {"aligned, apart, kept", blocks_are_aligned_apart_and_kept, is_real},
    {"zalloc zeroes", zalloc_zeroes, is_real},
    {"realloc keeps the prefix", realloc_keeps_the_prefix, is_real},
    {"large alignments", large_alignments_hold, is_aligning},
    {"sizes that overflow", sizes_that_overflow_are_refused, is_real},
    {"exhaustion", exhaustion_is_survived, is_limited},
    {"nothing live in the end", nothing_is_live_in_the_end, is_freeing},
    {"spans tile their areas", spans_tile_their_areas, is_walked},
    {"damage is found", damage_is_found, is_checked},
    {"trim takes nothing live", trim_takes_nothing_live, is_real},
    {"random operations", random_operations_are_survived, is_real},
    {"it owns what is live", it_owns_what_is_live, is_owning},
    {"threads share it", threads_share_it, is_threaded},
};
