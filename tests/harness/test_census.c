/* The census against heaps drawn by hand, and against what the heaps that have a walk say. */
#include "harness/measure/census.h"

#include <stdlib.h>
#include <string.h>

#include "allocators/registry.h"
#include "allocators/spec.h"
#include "harness/base/rng.h"
#include "tests/unit.h"

enum { PAGE = CENSUS_PAGE };

/* Two mappings side by side, one apart, and one without a block:
 *
 *   0x10000  [100 of 112] 8 [16 of 24] 4000 … [6,000 of 6,000 from 0x11900] …
 *   0x20000  [4,096 of 4,096] to its end
 *   0x30000  nothing */
static const struct census_block drawn[] = {
    {0x10000, 100, 112},
    {0x10000 + 120, 16, 24},
    {0x11900, 6000, 6000},
    {0x20000, 4096, 4096},
};
enum { DRAWN = sizeof drawn / sizeof *drawn };

static struct census census;
static struct page_map page_map;

static int start(void **state)
{
    (void)state;
    memset(&census, 0, sizeof census);
    memset(&page_map, 0, sizeof page_map);
    return 0;
}

static void holes_lie_between_blocks(void **state)
{
    (void)state;
    struct census_gaps gaps = {.census = &census, .blocks = drawn, .count = DRAWN};
    census_gaps_mapping(&gaps, 0x10000, 0x11000);
    census_gaps_mapping(&gaps, 0x11000, 0x14000);
    census_gaps_mapping(&gaps, 0x20000, 0x21000);
    census_gaps_mapping(&gaps, 0x30000, 0x32000);
    census_gaps_end(&gaps);
    assert_true(census.held_known);
    assert_int_equal(census.held, 0x4000 + 0x1000 + 0x2000);
    assert_int_equal(census.empty_bytes, 0x2000);
    assert_int_equal(census.seam_bytes, 8);
    /* From the second block to the third, over the border of the mappings, and after the third. */
    uint64_t first = 0x11900 - (0x10000 + 144), second = 0x14000 - (0x11900 + 6000);
    assert_int_equal(census.holes.count, 2);
    assert_int_equal(census.holes.bytes, first + second);
    assert_int_equal(census.holes.largest, first > second ? first : second);
    /* Nothing is lost: blocks, holes, seams and what is empty are all that is held. */
    census_count(&census, drawn, DRAWN);
    assert_int_equal(census.usable + census.holes.bytes + census.seam_bytes + census.empty_bytes,
                     census.held);
}

static void pages_by_their_live_share(void **state)
{
    (void)state;
    struct census_pages pages = {
        .census = &census, .map = &page_map, .blocks = drawn, .count = DRAWN};
    /* The page at 0x12000, on which part of the third block lies, is not resident. */
    census_pages_resident(&pages, 0x10000, 0x12000);
    census_pages_resident(&pages, 0x13000, 0x14000);
    census_pages_resident(&pages, 0x20000, 0x21000);
    census_pages_resident(&pages, 0x30000, 0x31000);
    census_pages_end(&pages);
    assert_int_equal(census.resident_pages, 5);
    /* 116 bytes of the first page, 0x700 of the second, 112 of the fourth: 6,000 - 0x700 - 4,096.
     */
    assert_int_equal(census.resident_live, 116 + 0x700 + 112 + 4096);
    assert_int_equal(census.pages[0], 1);                 /* 0x30000 */
    assert_int_equal(census.pages[1], 2);                 /* 116 and 112 of 4,096 */
    assert_int_equal(census.pages[5], 1);                 /* 1,792 of 4,096: 44 % */
    assert_int_equal(census.pages[CENSUS_SHARES - 1], 1); /* 0x20000 */
    assert_int_equal(page_map.cells, 6);
    assert_int_equal(page_map.cell_log2, 0);
    static const uint64_t live[] = {116, 0x700, 4096, 112, 4096, 0};
    static const uint64_t resident[] = {PAGE, PAGE, 0, PAGE, PAGE, PAGE};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(page_map.live[i], live[i]);
        assert_int_equal(page_map.resident[i], resident[i]);
    }
    assert_int_equal(page_map.address[5], 0x30);
}

static void size_classes(void **state)
{
    (void)state;
    census_count(&census, drawn, DRAWN);
    assert_int_equal(census.blocks, 4);
    assert_int_equal(census.live, 100 + 16 + 6000 + 4096);
    const struct census_class *class = &census.classes[profile_bin(112)];
    assert_int_equal(class->blocks, 1);
    assert_int_equal(class->usable - class->requested, 12);
    assert_int_equal(class->smallest, 112);
    assert_int_equal(class->largest, 112);
}

/* More pages than cells: neighbours are merged and nothing is lost. */
static void a_large_heap_is_merged(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    struct census_pages pages = {.census = &census, .map = &page_map};
    uint64_t at = (uint64_t)7 << 40, live = 0, resident = 0;
    for (int i = 0; i < MANY; i += 10, at += 12 * PAGE)
        census_pages_resident(&pages, at, at + 10 * PAGE);
    census_pages_end(&pages);
    assert_int_equal(census.resident_pages, MANY);
    assert_int_equal(census.pages[0], MANY);
    assert_in_range(page_map.cells, CENSUS_CELLS / 2, CENSUS_CELLS);
    for (uint32_t i = 0; i < page_map.cells; i++) {
        live += page_map.live[i];
        resident += page_map.resident[i];
        assert_true(i == 0 || page_map.address[i] > page_map.address[i - 1]);
    }
    assert_int_equal(live, 0);
    assert_int_equal(resident, (uint64_t)MANY * PAGE);
}

static void sorting(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static struct census_block blocks[COUNT], scratch[COUNT];
    struct rng rng;
    rng_init(&rng, 11);
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t address = rng_next(&rng) >> (i % 2 ? 17 : 40);
        blocks[i] = (struct census_block){address, address ^ i, i};
    }
    census_sort(blocks, scratch, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(i == 0 || blocks[i].address >= blocks[i - 1].address);
        assert_int_equal(blocks[i].size, blocks[i].address ^ blocks[i].usable);
    }
    census_sort(blocks, scratch, 0);
}

/* ---- what a heap says of itself ---- */

enum { LIVE = 3000, AREAS = 4096 };

struct heard {
    struct census_block areas[AREAS]; /* address and length */
    struct census_block scratch[AREAS];
    size_t count;
    uint64_t not_live; /* FREE, META, and what blocks take beyond their usable bytes */
    struct holes free;
};

static int hear(void *arg, const struct span *span)
{
    struct heard *heard = arg;
    if (span->kind == SPAN_AREA) {
        assert_true(heard->count < AREAS);
        heard->areas[heard->count++] =
            (struct census_block){(uintptr_t)span->start, span->size, span->size};
    } else if (span->kind == SPAN_USED)
        heard->not_live += span->size - span->usable;
    else
        heard->not_live += span->size;
    if (span->kind == SPAN_FREE)
        holes_add(&heard->free, span->size);
    return 0;
}

/* Random blocks come and go, then LIVE of them are left. */
static size_t populate(struct heap *heap, struct census_block *blocks)
{
    static void *refs[LIVE];
    static size_t sizes[LIVE];
    struct rng rng;
    size_t count = 0;
    rng_init(&rng, 5);
    memset(refs, 0, sizeof refs);
    for (int i = 0; i < 10 * LIVE; i++) {
        size_t slot = rng_below(&rng, LIVE);
        if (refs[slot])
            heap_free(heap, refs[slot]);
        sizes[slot] = 1 + rng_below(&rng, i % 50 ? 400 : 3000);
        refs[slot] = i % 3 == 0 ? NULL : heap_alloc(heap, sizes[slot]);
    }
    for (size_t i = 0; i < LIVE; i++)
        if (refs[i])
            blocks[count++] =
                (struct census_block){(uintptr_t)heap_resolve(heap, refs[i]), sizes[i],
                                      heap_usable_size(heap, refs[i], sizes[i])};
    return count;
}

static void census_of(struct heap *heap, struct heard *heard)
{
    static struct census_block blocks[LIVE], scratch[LIVE];
    memset(heard, 0, sizeof *heard);
    size_t count = populate(heap, blocks);
    census_sort(blocks, scratch, count);
    assert_int_equal(heap_walk(heap, hear, heard), 0);
    census_sort(heard->areas, heard->scratch, heard->count);
    memset(&census, 0, sizeof census);
    struct census_gaps gaps = {.census = &census, .blocks = blocks, .count = count};
    for (size_t i = 0; i < heard->count; i++)
        census_gaps_mapping(&gaps, heard->areas[i].address,
                            heard->areas[i].address + heard->areas[i].size);
    census_gaps_end(&gaps);
    census_count(&census, blocks, count);
    assert_int_equal(census.usable + census.holes.bytes + census.seam_bytes + census.empty_bytes,
                     census.held);
}

static bool has_walk(const struct allocator *allocator)
{
    return allocator->walk && allocator->usable_size &&
           allocator_has(allocator, ALLOCATOR_WALK_TILES) &&
           !allocator_has(allocator, ALLOCATOR_NO_FREE) &&
           !allocator_has(allocator, ALLOCATOR_PROCESS_SHARED);
}

static void outside_and_inside_agree(void **state)
{
    (void)state;
    struct heard *heard = malloc(sizeof *heard);
    size_t compared = 0;
    for (size_t i = 0; i < registry_backends(); i++) {
        static struct spec spec;
        struct region region = {0};
        struct heap *heap;
        struct err err = {0};
        if (!has_walk(registry_backend(i)))
            continue;
        print_message("%s\n", registry_backend(i)->name);
        assert_int_equal(spec_parse(&spec, registry_backend(i)->name, &err), 0);
        assert_int_equal(spec_create(&spec, &region, NULL, &heap, &err), 0);
        census_of(heap, heard);
        assert_int_equal(census.holes.bytes + census.seam_bytes + census.empty_bytes,
                         heard->not_live);
        compared++;
        heap_destroy(heap);
        region_release(&region);
    }
    assert_true(compared >= 5);
    free(heard);
}

/* Where blocks have no headers, the holes seen from outside are the heap's own free blocks. */
static void the_policies_holes_are_their_free_blocks(void **state)
{
    (void)state;
    static const char *const policies[] = {"first-fit", "best-fit", "next-fit", "worst-fit"};
    struct heard *heard = malloc(sizeof *heard);
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        static struct spec spec;
        struct region region = {0};
        struct heap *heap;
        struct err err = {0};
        assert_int_equal(spec_parse(&spec, policies[i], &err), 0);
        assert_int_equal(spec_create(&spec, &region, NULL, &heap, &err), 0);
        census_of(heap, heard);
        assert_true(census.holes.count > 100);
        assert_int_equal(census.holes.count, heard->free.count);
        assert_memory_equal(census.holes.bin_count, heard->free.bin_count,
                            sizeof heard->free.bin_count);
        assert_memory_equal(census.holes.filled, heard->free.filled, sizeof heard->free.filled);
        heap_destroy(heap);
        region_release(&region);
    }
    free(heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(holes_lie_between_blocks, start),
        cmocka_unit_test_setup(pages_by_their_live_share, start),
        cmocka_unit_test_setup(size_classes, start),
        cmocka_unit_test_setup(a_large_heap_is_merged, start),
        cmocka_unit_test(sorting),
        cmocka_unit_test(outside_and_inside_agree),
        cmocka_unit_test(the_policies_holes_are_their_free_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
