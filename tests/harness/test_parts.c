/* The split of a footprint, on heaps drawn by hand. */
#include "harness/measure/parts.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#define BASE UINT64_C(0x10000)
#define COUNT(list) (sizeof(list) / sizeof *(list))

enum { A = PAGE_ABSENT, S = PAGE_SWAPPED, R = PAGE_RESIDENT };

/* Eight pages from BASE on: R R R R R A A S. */
static const uint8_t eight[] = {R, R, R, R, R, A, A, S};
static const struct view_stretch stretch = {BASE, COUNT(eight), eight, 0};

/* Page 0 full; page 1 sparse; page 2 begins a block that runs over page 3 and ends on page 4, 100
 * bytes into it; page 5 a block that was never touched. */
static const struct view_block blocks[] = {
    {BASE, 4000, 4096},
    {BASE + 4096 + 16, 48, 64},
    {BASE + 4096 + 2048, 0, 16},
    {BASE + 2 * 4096 + 1000, 2 * 4096 - 1000 + 100, 2 * 4096 - 1000 + 100},
    {BASE + 5 * 4096, 300, 320},
};

/* Pages 0 … 6 held a block. */
static const uint64_t held[] = {UINT64_C(0x7f) << 16};

static struct heap_view drawn(void)
{
    return (struct heap_view){
        .blocks = blocks,
        .block_count = COUNT(blocks),
        .stretches = &stretch,
        .stretch_count = 1,
        .held = held,
        .held_pages = 64,
    };
}

static void a_drawn_heap_adds_up(void **state)
{
    (void)state;
    struct parts parts;
    const struct heap_view heap = drawn();
    parts_of(&heap, &parts);
    assert_int_equal(parts.payload, 4000 + 48 + (2 * 4096 - 1000) + 100);
    assert_int_equal(parts.rounding, 96 + 16 + 16);
    assert_int_equal(parts.free_in_live_pages, (4096 - 80) + 1000 + (4096 - 100));
    assert_int_equal(parts.free_pages, 0);
    assert_int_equal(parts.unused_pages, 0);
    assert_int_equal(parts.metadata, 0);
    assert_int_equal(parts_resident(&parts), 5 * 4096);
    assert_int_equal(parts.touched_not_yet, 300);
    assert_int_equal(parts.returned, 4096);
    assert_int_equal(parts.swapped, 4096);
    assert_int_equal(parts.reserved, 0);
    assert_int_equal(parts.live_pages, 5);
    assert_int_equal(parts.sparse_pages, 2);
}

/* The same pages with nothing live. */
static void what_held_blocks_is_told_from_what_never_did(void **state)
{
    (void)state;
    static const uint64_t three[] = {UINT64_C(0x7) << 16};
    struct parts parts;
    struct heap_view heap = drawn();
    heap.block_count = 0;
    heap.held = three;
    parts_of(&heap, &parts);
    assert_int_equal(parts.free_pages, 3 * 4096);
    assert_int_equal(parts.unused_pages, 2 * 4096);
    assert_int_equal(parts.returned, 0);
    assert_int_equal(parts.reserved, 2 * 4096);
    heap.held = NULL;
    parts_of(&heap, &parts);
    assert_int_equal(parts.free_pages, 5 * 4096);
    assert_int_equal(parts.returned, 2 * 4096);
}

/* Page 0: a header of 16 bytes, a block, a free hole of 1,000; page 1: tables alone; page 2: free.
 */
static void metadata_is_what_the_walk_calls_neither_free_nor_used(void **state)
{
    (void)state;
    static const struct view_block block = {BASE + 16, 3000, 3080};
    static const struct view_free holes[] = {{BASE + 3096, 1000}, {BASE + 2 * 4096, 4096}};
    static const uint8_t three[] = {R, R, R};
    const struct view_stretch pages = {BASE, 3, three, 0};
    const struct heap_view heap = {
        .blocks = &block,
        .block_count = 1,
        .stretches = &pages,
        .stretch_count = 1,
        .walked = true,
        .free = holes,
        .free_count = 2,
    };
    struct parts parts;
    parts_of(&heap, &parts);
    assert_int_equal(parts.payload, 3000);
    assert_int_equal(parts.rounding, 80);
    assert_int_equal(parts.free_in_live_pages, 1000);
    assert_int_equal(parts.free_pages, 4096);
    assert_int_equal(parts.metadata, 16 + 4096);
    assert_int_equal(parts_resident(&parts), 3 * 4096);
}

static void lazily_freed_pages_are_those_that_nobody_needs(void **state)
{
    (void)state;
    static const uint64_t first[] = {UINT64_C(0x3) << 16};
    static const uint8_t four[] = {R, R, R, R};
    struct view_stretch pages[] = {{BASE, 4, four, 3 * 4096}, {BASE + 16 * 4096, 4, four, 0}};
    const struct view_block block = {BASE, 100, 100};
    struct heap_view heap = {.blocks = &block,
                             .block_count = 1,
                             .stretches = pages,
                             .stretch_count = 2,
                             .held = first,
                             .held_pages = 64};
    struct parts parts;
    parts_of(&heap, &parts);
    assert_int_equal(parts.lazy_free, 3 * 4096);
    assert_int_equal(parts.free_pages, 0);
    assert_int_equal(parts.unused_pages, 4 * 4096);
    /* More than there can be is not believed. */
    pages[0].lazyfree = 100 * 4096;
    parts_of(&heap, &parts);
    assert_int_equal(parts.lazy_free, 3 * 4096);
    assert_int_equal(parts_resident(&parts), 8 * 4096);
}

/* Blocks that overlap, or claim to, are counted once. */
static void overlapping_blocks_take_no_more_than_a_page(void **state)
{
    (void)state;
    static const struct view_block greedy[] = {{BASE, 100, 9000}, {BASE + 64, 100, 100}};
    static const uint8_t one[] = {R};
    const struct view_stretch pages = {BASE, 1, one, 0};
    const struct heap_view heap = {
        .blocks = greedy, .block_count = 2, .stretches = &pages, .stretch_count = 1};
    struct parts parts;
    parts_of(&heap, &parts);
    assert_int_equal(parts.payload, 64 + 100);
    assert_int_equal(parts_resident(&parts), 4096);
}

struct seen {
    struct page_view pages[8];
    size_t count;
};

static void look(void *arg, const struct page_view *page)
{
    struct seen *seen = arg;
    seen->pages[seen->count++] = *page;
}

static void pages_know_their_blocks(void **state)
{
    (void)state;
    struct seen seen = {.count = 0};
    const struct heap_view heap = drawn();
    page_views(&heap, look, &seen);
    assert_int_equal(seen.count, 8);
    static const size_t first[] = {0, 1, 3, 3, 3, 4, 5, 5}, last[] = {1, 3, 4, 4, 4, 5, 5, 5};
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(seen.pages[i].address, BASE + 4096 * i);
        assert_int_equal(seen.pages[i].first, first[i]);
        assert_int_equal(seen.pages[i].last, last[i]);
    }
    assert_int_equal(seen.pages[3].live, 4096);
    assert_true(parts_page_is_sparse(&seen.pages[1]));
    assert_false(parts_page_is_sparse(&seen.pages[2]));
    assert_true(seen.pages[6].held);
    assert_false(seen.pages[7].held);
}

/* A random heap against an account byte by byte. */
static void any_heap_is_split_as_byte_by_byte(void **state)
{
    (void)state;
    enum { PAGES = 16, BYTES = PAGES * PAGE_BYTES, BLOCKS = 64 };
    static char bytes[BYTES];
    for (unsigned round = 0; round < 200; round++) {
        struct view_block random_blocks[BLOCKS];
        uint8_t states[PAGES];
        size_t count = 0, at = 0;
        uint64_t payload = 0, rounding = 0, beside = 0;
        srand(round);
        memset(bytes, 0, sizeof bytes);
        for (int i = 0; i < PAGES; i++)
            states[i] = rand() % 3 ? R : A;
        while (count < BLOCKS && (at += (size_t)rand() % 3000) < BYTES) {
            size_t size = (size_t)rand() % 6000, usable = size + (size_t)rand() % 40;
            if (at + usable > BYTES)
                break;
            memset(bytes + at, 'u', usable);
            memset(bytes + at, 'l', size);
            random_blocks[count++] = (struct view_block){BASE + at, size, usable};
            at += usable;
        }
        for (size_t i = 0; i < BYTES; i++) {
            bool resident = states[i / PAGE_BYTES] == R;
            payload += resident && bytes[i] == 'l';
            rounding += resident && bytes[i] == 'u';
            beside += !resident && bytes[i] == 'l';
        }
        const struct view_stretch pages = {BASE, PAGES, states, 0};
        const struct heap_view heap = {
            .blocks = random_blocks, .block_count = count, .stretches = &pages, .stretch_count = 1};
        struct parts parts;
        parts_of(&heap, &parts);
        assert_int_equal(parts.payload, payload);
        assert_int_equal(parts.rounding, rounding);
        assert_int_equal(parts.touched_not_yet, beside);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drawn_heap_adds_up),
        cmocka_unit_test(what_held_blocks_is_told_from_what_never_did),
        cmocka_unit_test(metadata_is_what_the_walk_calls_neither_free_nor_used),
        cmocka_unit_test(lazily_freed_pages_are_those_that_nobody_needs),
        cmocka_unit_test(overlapping_blocks_take_no_more_than_a_page),
        cmocka_unit_test(pages_know_their_blocks),
        cmocka_unit_test(any_heap_is_split_as_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
