/* Tables out of band: what goes back while nothing is told, what comes again, and that a failure in
 * the middle changes nothing. */
#include "allocators/fit_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "allocators/region.h"
#include "allocators/spec.h"
#include "tests/unit.h"

enum { ENTRY = 16, ENTRY_LOG2 = 6, GRANULES = 1 << 20, TABLES = 3 };

static struct region region;
static struct fit_store store;
static char *tables[TABLES];

static size_t table_bytes(void)
{
    return (GRANULES >> ENTRY_LOG2) * ENTRY;
}

/* Some tables that tell of all granules, every byte of them set. */
static int open_store(void **state)
{
    (void)state;
    if (region_init(&region, 1 << 24, NULL))
        return -1;
    store = (struct fit_store){.region = &region, .next = region.base};
    for (int i = 0; i < TABLES; i++) {
        tables[i] = fit_store_table(&store, table_bytes());
        fit_store_describe(&store, tables[i], ENTRY, ENTRY_LOG2);
        if (fit_store_reach(&store, tables[i], table_bytes()))
            return -1;
        memset(tables[i], 7, table_bytes());
    }
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    region_release(&region);
    return 0;
}

static const struct fit_span none = {0, 0};

static size_t zeros(const char *table)
{
    size_t count = 0;
    for (size_t i = 0; i < table_bytes(); i++)
        count += table[i] == 0;
    return count;
}

static void retire(struct fit_span span)
{
    fit_store_retire(&store, span, none, none);
}

/* Whole pages strictly within the span; what tells of its ends, and of what is near its start,
 * stays. */
static void what_tells_of_nothing_goes_back(void **state)
{
    (void)state;
    size_t held = fit_store_held(&store), committed = region.committed, page = region_page();
    const struct fit_span span = {GRANULES / 4, GRANULES / 2};
    retire(span);
    size_t gone = zeros(tables[0]), whole = ((span.hi - span.lo) >> ENTRY_LOG2) * ENTRY;
    assert_int_equal(gone % page, 0);
    assert_in_range(gone, whole - 3 * page, whole);
    assert_int_equal(tables[0][(span.lo >> ENTRY_LOG2) * ENTRY], 7);
    assert_int_equal(tables[0][(span.hi >> ENTRY_LOG2) * ENTRY], 7);
    assert_int_equal(fit_store_held(&store), held - TABLES * gone);
    assert_int_equal(region.committed, committed - TABLES * gone);
}

static void a_small_span_keeps_its_pages(void **state)
{
    (void)state;
    size_t committed = region.committed;
    retire((struct fit_span){100, 1100});
    assert_int_equal(region.committed, committed);
    assert_int_equal(fit_store_revive(&store, (struct fit_span){100, 1100}, none), 0);
    assert_int_equal(region.committed, committed);
}

/* What was done before is not done again, nor counted twice. */
static void parts_that_are_gone_already_are_left_out(void **state)
{
    (void)state;
    const struct fit_span low = {GRANULES / 8, GRANULES / 4}, high = {GRANULES / 2, GRANULES - 64};
    const struct fit_span all = {low.lo, high.hi};
    size_t committed = region.committed;
    retire(all);
    size_t wanted = region.committed;
    assert_int_equal(fit_store_revive(&store, all, none), 0);
    assert_int_equal(region.committed, committed);
    retire(low);
    retire(high);
    fit_store_retire(&store, all, low, high);
    assert_int_equal(region.committed, wanted);
    assert_int_equal(fit_store_held(&store), wanted);
}

static void what_comes_again_can_be_written_and_the_rest_stays_gone(void **state)
{
    (void)state;
    const struct fit_span span = {GRANULES / 4, GRANULES - 64}, rest = {GRANULES / 2, span.hi};
    size_t committed = region.committed;
    retire(rest);
    size_t wanted = region.committed;
    assert_int_equal(fit_store_revive(&store, rest, none), 0);
    retire(span);
    assert_int_equal(fit_store_revive(&store, span, rest), 0);
    assert_int_equal(region.committed, wanted);
    size_t back = (rest.lo >> ENTRY_LOG2) * ENTRY;
    for (int i = 0; i < TABLES; i++)
        memset(tables[i], 7, back);
    assert_int_equal(fit_store_revive(&store, rest, none), 0);
    assert_int_equal(region.committed, committed);
    for (int i = 0; i < TABLES; i++)
        memset(tables[i], 7, table_bytes());
}

/* There is memory for one table, and not for the next. */
static void a_failure_changes_nothing(void **state)
{
    (void)state;
    const struct fit_span span = {GRANULES / 4, GRANULES / 2};
    size_t committed = region.committed;
    retire(span);
    size_t held = fit_store_held(&store), gone = zeros(tables[0]), least = region.committed;
    for (int enough = 0; enough < TABLES; enough++) {
        region.limit = least + enough * gone;
        assert_int_equal(fit_store_revive(&store, span, none), -ENOMEM);
        assert_int_equal(region.committed, least);
        assert_int_equal(fit_store_held(&store), held);
    }
    region.limit = committed;
    assert_int_equal(fit_store_revive(&store, span, none), 0);
    assert_int_equal(region.committed, committed);
    for (int i = 0; i < TABLES; i++)
        memset(tables[i], 7, table_bytes());
}

static size_t mappings(void)
{
    size_t lines = 0;
    FILE *file = fopen("/proc/self/maps", "re");
    for (int c; (c = getc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

/* A process may have 65,530 mappings, of which an allocator is not to take most. */
static void very_many_holes_leave_mappings_for_others(void **state)
{
    (void)state;
    enum { HOLES = 9000, SIZE = 700 << 10, MOST = 30000 };
    static void *blocks[HOLES];
    struct spec spec;
    struct heap *heap;
    struct region whole;
    assert_int_equal(spec_parse(&spec, "first-fit", NULL), 0);
    assert_int_equal(spec_create(&spec, &whole, NULL, &heap, NULL), 0);
    for (int i = 0; i < HOLES; i++) {
        blocks[i] = heap_alloc(heap, SIZE);
        assert_non_null(blocks[i]);
        assert_non_null(heap_alloc(heap, 16));
    }
    for (int i = 0; i < HOLES; i++)
        heap_free(heap, blocks[i]);
    assert_true(heap_trim(heap) > 0);
    assert_in_range(mappings(), HOLES, MOST);
    heap_destroy(heap);
    region_release(&whole);
}

#define ON_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STORE(what_tells_of_nothing_goes_back),
        ON_STORE(a_small_span_keeps_its_pages),
        ON_STORE(parts_that_are_gone_already_are_left_out),
        ON_STORE(what_comes_again_can_be_written_and_the_rest_stays_gone),
        ON_STORE(a_failure_changes_nothing),
        cmocka_unit_test(very_many_holes_leave_mappings_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
