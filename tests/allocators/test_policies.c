/* What is particular to the policies: worked examples, damage that check finds, memory given back.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "allocators/granules.h"
#include "allocators/region.h"
#include "allocators/spec.h"
#include "harness/base/rng.h"
#include "tests/unit.h"

struct fixture {
    struct spec spec;
    struct region region;
    struct heap *heap;
};

static void fixture_open(struct fixture *fixture, const char *text)
{
    struct err err;
    *fixture = (struct fixture){0};
    if (spec_parse(&fixture->spec, text, &err) ||
        spec_create(&fixture->spec, &fixture->region, NULL, &fixture->heap, &err))
        fail_msg("%s", err.text);
}

static void fixture_close(struct fixture *fixture)
{
    heap_destroy(fixture->heap);
    region_release(&fixture->region);
}

static void prove_sound(struct fixture *fixture)
{
    char why[256];
    if (heap_check(fixture->heap, why, sizeof why))
        fail_msg("%s", why);
}

struct totals {
    size_t used, free, largest_free;
};

static int add_span(void *arg, const struct span *span)
{
    struct totals *totals = arg;
    totals->used += span->kind == SPAN_USED;
    totals->free += span->kind == SPAN_FREE;
    if (span->kind == SPAN_FREE && span->size > totals->largest_free)
        totals->largest_free = span->size;
    return 0;
}

/* The example of the buddy text: 64K blocks in 1024K; A 34K, B 66K, C 35K, D 67K. */
static void buddies_split_and_join_as_in_the_example(void **state)
{
    (void)state;
    enum { K = 1024 };
    struct fixture fixture;
    fixture_open(&fixture, "buddy:min=64k,base=1M");
    char *a = heap_alloc(fixture.heap, 34 * K), *b = heap_alloc(fixture.heap, 66 * K);
    char *c = heap_alloc(fixture.heap, 35 * K), *d = heap_alloc(fixture.heap, 67 * K);
    assert_int_equal(b - a, 128 * K);
    assert_int_equal(c - a, 64 * K);
    assert_int_equal(d - a, 256 * K);
    heap_free(fixture.heap, b);
    heap_free(fixture.heap, d);
    heap_free(fixture.heap, a);
    heap_free(fixture.heap, c);
    struct totals totals = {0};
    heap_walk(fixture.heap, add_span, &totals);
    assert_int_equal(totals.used, 0);
    assert_int_equal(totals.free, 1);
    assert_int_equal(totals.largest_free, 1024 * K);
    fixture_close(&fixture);
}

static void options_of_buddy_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"buddy:min=24", "buddy:min=8", "buddy:base=100k",
                                      "buddy:min=128k,base=64k"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct spec spec;
        struct region region = {0};
        struct heap *heap = NULL;
        struct err err = {0};
        assert_int_equal(spec_parse(&spec, bad[i], &err), 0);
        assert_int_equal(spec_create(&spec, &region, NULL, &heap, &err), -EINVAL);
        assert_non_null(strstr(err.text, "buddy: "));
        region_release(&region);
    }
}

/* Five blocks, of which the second and fourth are free: 100, 60, 100, 200, 100 bytes. */
static void open_with_holes(struct fixture *fixture, const char *text, char *blocks[5])
{
    static const size_t sizes[5] = {100, 60, 100, 200, 100};
    fixture_open(fixture, text);
    for (int i = 0; i < 5; i++)
        blocks[i] = heap_alloc(fixture->heap, sizes[i]);
    heap_free(fixture->heap, blocks[1]);
    heap_free(fixture->heap, blocks[3]);
    prove_sound(fixture);
}

static void each_policy_chooses_its_hole(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        int hole[3]; /* for requests of 40, 60 and 150 bytes one after the other; 5: none */
    } rows[] = {
        {"first-fit", {1, 3, 5}},
        {"best-fit", {1, 3, 5}},
        {"worst-fit", {3, 3, 5}},
        {"next-fit", {1, 3, 5}},
    };
    static const size_t sizes[3] = {40, 60, 150};
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct fixture fixture;
        char *blocks[5];
        open_with_holes(&fixture, rows[row].policy, blocks);
        for (int i = 0; i < 3; i++) {
            char *fresh = heap_alloc(fixture.heap, sizes[i]);
            int hole = fresh > blocks[4] ? 5 : fresh > blocks[2] ? 3 : 1;
            if (hole != rows[row].hole[i])
                fail_msg("%s: request %d is in hole %d", rows[row].policy, i, hole);
        }
        prove_sound(&fixture);
        fixture_close(&fixture);
    }
}

/* The n-th table out of band, the heap's own page being the first. */
struct tables {
    size_t wanted, seen;
    char *start;
};

static int find_table(void *arg, const struct span *span)
{
    struct tables *tables = arg;
    if (span->kind == SPAN_META && tables->seen++ == tables->wanted)
        tables->start = (char *)(uintptr_t)span->start;
    return tables->start != NULL;
}

/* Of what stands in the map, wherever a stray write hits: segments begin at granules 0, 7, 11, 18
 * and 31, of which 7 and 18 are holes. */
static void damage_is_found(void **state)
{
    (void)state;
    static const char *const policies[] = {"first-fit", "best-fit", "next-fit", "worst-fit"};
    enum { USED = offsetof(struct granules_word, used) };
    static const struct {
        size_t offset; /* in the first word's entry */
        char flip;
    } damages[] = {
        {0, 1 << 3},   {2, 1 << 4},        {1, 1 << 3},      {3, -128}, /* a start more or less */
        {USED + 0, 1}, {USED + 1, 1 << 3}, {USED + 3, -128},            /* a hole more */
    };
    for (size_t policy = 0; policy < sizeof policies / sizeof *policies; policy++)
        for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
            struct fixture fixture;
            struct tables map = {.wanted = 1};
            char *blocks[5], why[256] = "";
            open_with_holes(&fixture, policies[policy], blocks);
            heap_walk(fixture.heap, find_table, &map);
            map.start[damages[i].offset] ^= damages[i].flip;
            if (heap_check(fixture.heap, why, sizeof why) != -EUCLEAN)
                fail_msg("%s: damage %zu is not found", policies[policy], i);
            assert_non_null(strstr(why, policies[policy]));
            fixture_close(&fixture);
        }
}

static void damage_of_buddies_is_found(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        char flip;
    } damages[] = {{0, 1}, {0, 0x40}, {2, 0x40}, {2, 1}, {2, -64}};
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct fixture fixture;
        struct tables map = {.wanted = 1};
        char why[256] = "";
        fixture_open(&fixture, "buddy:min=32");
        char *a = heap_alloc(fixture.heap, 64), *b = heap_alloc(fixture.heap, 64);
        assert_ptr_equal(b, a + 64);
        heap_free(fixture.heap, b);
        prove_sound(&fixture);
        heap_walk(fixture.heap, find_table, &map);
        map.start[damages[i].offset] ^= damages[i].flip;
        if (heap_check(fixture.heap, why, sizeof why) != -EUCLEAN)
            fail_msg("damage %zu is not found", i);
        fixture_close(&fixture);
    }
}

/* A large hole between live blocks is given back by itself, and is usable again. */
static void large_holes_go_back(void **state)
{
    static const char *const policies[] = {"first-fit", "best-fit",       "next-fit", "worst-fit",
                                           "ostep",     "ostep:fit=best", "buddy"};
    enum { LARGE = 8 << 20 };
    (void)state;
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        struct fixture fixture;
        fixture_open(&fixture, policies[i]);
        char *large = heap_alloc(fixture.heap, LARGE), *fence = heap_alloc(fixture.heap, 100);
        memset(large, 1, LARGE);
        size_t held = fixture.region.committed;
        heap_free(fixture.heap, large);
        assert_true(fixture.region.committed + LARGE / 100 * 99 < held);
        assert_ptr_equal(heap_alloc(fixture.heap, LARGE), large);
        memset(large, 2, LARGE);
        assert_in_range(fixture.region.committed, held, held + (1 << 16)); /* tables may grow */
        heap_free(fixture.heap, large);
        for (int block = 0; block < 1000; block++) {
            char *small = heap_alloc(fixture.heap, 5000);
            assert_non_null(small);
            memset(small, 3, 5000);
        }
        heap_free(fixture.heap, fence);
        prove_sound(&fixture);
        fixture_close(&fixture);
    }
}

/* Every whole page that nothing lives in goes back on request. */
static void trim_gives_back_whole_pages(void **state)
{
    (void)state;
    enum { COUNT = 1000, SIZE = 20000 };
    static const char *const policies[] = {"first-fit",     "best-fit", "next-fit",
                                           "worst-fit",     "ostep",    "ostep:fit=next",
                                           "ostep:fit=best"};
    static char *blocks[COUNT];
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        struct fixture fixture;
        fixture_open(&fixture, policies[i]);
        for (int block = 0; block < COUNT; block++)
            memset(blocks[block] = heap_alloc(fixture.heap, SIZE), block, SIZE);
        for (int block = 0; block < COUNT; block += 2)
            heap_free(fixture.heap, blocks[block]);
        size_t held = fixture.region.committed, given = heap_trim(fixture.heap);
        assert_true(given >= (size_t)COUNT / 2 * 3 * 4096);
        assert_int_equal(held - given, fixture.region.committed);
        for (int block = 1; block < COUNT; block += 2)
            assert_int_equal(blocks[block][SIZE - 1], (char)block);
        for (int block = 0; block < COUNT; block += 2)
            memset(blocks[block] = heap_alloc(fixture.heap, SIZE), block, SIZE);
        for (int block = 0; block < COUNT; block++)
            heap_free(fixture.heap, blocks[block]);
        prove_sound(&fixture);
        heap_trim(fixture.heap);
        assert_true(fixture.region.committed < held / 12); /* the tables stay */
        fixture_close(&fixture);
    }
}

/* When a heap has shrunk, so have its tables. */
static void tables_go_back_too(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static const char *const policies[] = {"first-fit",     "best-fit", "next-fit",
                                           "worst-fit",     "ostep",    "ostep:fit=next",
                                           "ostep:fit=best"};
    static char *blocks[COUNT];
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        struct fixture fixture;
        struct heap_stats stats;
        fixture_open(&fixture, policies[i]);
        for (int round = 0; round < 3; round++) {
            for (int block = 0; block < COUNT; block++)
                blocks[block] = heap_alloc(fixture.heap, 16 + (size_t)block % 500);
            for (int block = 0; block < COUNT; block++)
                heap_free(fixture.heap, blocks[block * 7919ll % COUNT]);
            heap_trim(fixture.heap);
            heap_stats(fixture.heap, &stats);
            assert_true(stats.metadata_bytes < 128 << 10);
            prove_sound(&fixture);
        }
        fixture_close(&fixture);
    }
}

/* A block that is known by its first and last byte. */
struct marked {
    unsigned char *memory;
    size_t size;
};

static void mark(struct fixture *fixture, struct marked *block, size_t size, unsigned char value)
{
    block->memory = heap_alloc(fixture->heap, size);
    block->size = size;
    if (block->memory)
        block->memory[0] = block->memory[size - 1] = value;
}

static void unmark(struct fixture *fixture, struct marked *block, unsigned char value)
{
    assert_true(block->memory[0] == value && block->memory[block->size - 1] == value);
    heap_free(fixture->heap, block->memory);
    block->memory = NULL;
}

/* Mostly small blocks, many large ones, so that holes of megabytes come and go, and tables with
 * them; with little memory, so that their pages are not always to be had again. */
static void large_holes_come_and_go(struct fixture *fixture, struct rng *rng)
{
    enum { BLOCKS = 250, STEPS = 5000 };
    struct marked blocks[BLOCKS] = {{NULL, 0}};
    for (int step = 0; step < STEPS; step++) {
        size_t i = rng_below(rng, BLOCKS), order = rng_below(rng, 5) ? 12 : 22;
        if (blocks[i].memory)
            unmark(fixture, &blocks[i], (unsigned char)i);
        else
            mark(fixture, &blocks[i], 1 + rng_below(rng, (uint64_t)1 << order), (unsigned char)i);
        if (step % 700 == 0)
            heap_trim(fixture->heap);
        if (step % 250 == 0)
            prove_sound(fixture);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        if (blocks[i].memory)
            unmark(fixture, &blocks[i], (unsigned char)i);
    prove_sound(fixture);
}

static void tables_of_large_holes_come_back(void **state)
{
    static const char *const policies[] = {"first-fit", "best-fit",     "next-fit",
                                           "worst-fit", "ostep",        "ostep:coalesce=0",
                                           "buddy",     "buddy:min=16", "buddy:min=512"};
    (void)state;
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        for (size_t mebibytes = 16; mebibytes <= 256; mebibytes *= 4) {
            struct fixture fixture;
            struct rng rng;
            rng_init(&rng, mebibytes);
            fixture_open(&fixture, policies[i]);
            fixture.region.limit = mebibytes << 20;
            large_holes_come_and_go(&fixture, &rng);
            fixture_close(&fixture);
        }
}

/* A large hole, and less than that behind the last block: which is taken first? */
static void best_fit_uses_the_top_as_it_is_told(void **state)
{
    (void)state;
    for (int as_hole = 0; as_hole < 2; as_hole++) {
        struct fixture fixture;
        fixture_open(&fixture, as_hole ? "best-fit:top=hole,return=no" : "best-fit:return=no");
        char *large = heap_alloc(fixture.heap, 1 << 20), *last = heap_alloc(fixture.heap, 64);
        heap_free(fixture.heap, large);
        char *small = heap_alloc(fixture.heap, 64);
        assert_ptr_equal(small, as_hole ? last + 64 : large);
        prove_sound(&fixture);
        fixture_close(&fixture);
    }
}

/* A list of free blocks that only grows gets memory now and then, and gives none back in between:
 * what one call grows the next must not shrink. */
static void a_list_of_unjoined_blocks_only_grows(void **state)
{
    (void)state;
    enum { LIVE = 100, ROUNDS = 150000 };
    static char *block[LIVE];
    struct fixture fixture;
    struct rng rng;
    rng_init(&rng, 1);
    fixture_open(&fixture, "ostep:coalesce=0");
    for (int i = 0; i < ROUNDS; i++) {
        char **one = &block[rng_below(&rng, LIVE)];
        if (*one)
            heap_free(fixture.heap, *one);
        *one = heap_alloc(fixture.heap, 1 + rng_below(&rng, 2000));
        assert_non_null(*one);
    }
    assert_true(fixture.region.calls < ROUNDS / 120);
    memset(block, 0, sizeof block);
    prove_sound(&fixture);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_unjoined_blocks_only_grows),
        cmocka_unit_test(best_fit_uses_the_top_as_it_is_told),
        cmocka_unit_test(buddies_split_and_join_as_in_the_example),
        cmocka_unit_test(options_of_buddy_are_checked),
        cmocka_unit_test(each_policy_chooses_its_hole),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(damage_of_buddies_is_found),
        cmocka_unit_test(large_holes_go_back),
        cmocka_unit_test(trim_gives_back_whole_pages),
        cmocka_unit_test(tables_go_back_too),
        cmocka_unit_test(tables_of_large_holes_come_back),
    };
    return cmocka_run_group_tests_name("policies", tests, NULL, NULL);
}
