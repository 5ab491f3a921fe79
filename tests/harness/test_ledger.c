/* The ledger and the heap map: what is live, how much of it, and where. */
#include "harness/measure/ledger.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/rng.h"
#include "harness/measure/heapmap.h"
#include "tests/unit.h"

static void the_ledger_adds_up(void **state)
{
    (void)state;
    struct ledger ledger;
    assert_int_equal(ledger_init(&ledger, 8, 16, NULL), 0);
    ledger_add(&ledger, 0, 10, 24);
    ledger_add(&ledger, 1, 100, 104);
    assert_int_equal(ledger.live, 110);
    assert_int_equal(ledger.usable, 128);
    assert_int_equal(ledger.rounded, 16 + 112);
    assert_int_equal(ledger.blocks, 2);
    ledger_resize(&ledger, 0, 17, 24);
    assert_int_equal(ledger.live, 117);
    assert_int_equal(ledger.rounded, 32 + 112);
    assert_int_equal(ledger.requested, 127);
    ledger_remove(&ledger, 1);
    ledger_add(&ledger, 1, 0, 24);
    assert_int_equal(ledger.live, 17);
    assert_int_equal(ledger.rounded, 32);
    assert_int_equal(ledger.blocks, 2);
    assert_int_equal(ledger.peak_live, 117);
    assert_int_equal(ledger.peak_usable, 128);
    assert_int_equal(ledger.peak_rounded, 144);
    ledger_release(&ledger);
}

static struct heapmap *map;
static struct heapmap_rows rows;

static int start_map(void **state)
{
    (void)state;
    map = calloc(1, sizeof *map);
    heapmap_init(map);
    return 0;
}

static int end_map(void **state)
{
    (void)state;
    free(map);
    return 0;
}

static void gaps_take_no_rows(void **state)
{
    (void)state;
    heapmap_add(map, 0x7ffff0000000, 4096);
    heapmap_add(map, 0x555555560800, 2048);
    heapmap_column(map, 7);
    heapmap_remove(map, 0x7ffff0000000, 4096);
    heapmap_column(map, 9);
    heapmap_rows(map, &rows);
    assert_int_equal(rows.rows, 2);
    assert_int_equal(map->columns, 2);
    assert_int_equal(map->events[1], 9);
    assert_int_equal(heapmap_row_address(map, &rows, 0), 0x555555560000);
    assert_int_equal(heapmap_row_address(map, &rows, 1), 0x7ffff0000000);
    assert_true(heapmap_live_share(map, &rows, 0, 0) == 0.5);
    assert_true(heapmap_live_share(map, &rows, 0, 1) == 1);
    assert_true(heapmap_live_share(map, &rows, 1, 1) == 0);
}

static double live_bytes(uint32_t column)
{
    double bytes = 0;
    for (uint32_t row = 0; row < rows.rows; row++) {
        uint32_t chunks = map->chunks - row * rows.chunks_a_row;
        chunks = chunks < rows.chunks_a_row ? chunks : rows.chunks_a_row;
        bytes += heapmap_live_share(map, &rows, column, row) *
                 (double)((uint64_t)chunks << map->chunk_log2);
    }
    return bytes;
}

/* However often chunks are merged, no live byte is lost or counted twice, in any column. */
static void merging_keeps_every_byte(void **state)
{
    (void)state;
    enum { BLOCKS = 4000 };
    static struct {
        uint64_t address, size;
    } blocks[BLOCKS];
    static uint64_t live[HEAPMAP_COLUMNS];
    struct rng rng;
    uint64_t bytes = 0, address = 0x10000000;
    rng_init(&rng, 3);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i].address = address;
        blocks[i].size = 1 + rng_below(&rng, i % 100 == 0 ? 1 << 22 : 20000);
        address += blocks[i].size + rng_below(&rng, 1 << 16);
        heapmap_add(map, blocks[i].address, blocks[i].size);
        bytes += blocks[i].size;
        if (i % 3 == 0) {
            int gone = (int)rng_below(&rng, (uint64_t)i + 1);
            heapmap_remove(map, blocks[gone].address, blocks[gone].size);
            bytes -= blocks[gone].size;
            blocks[gone].size = 0;
        }
        if (i % 10 == 0) {
            live[map->columns] = bytes;
            heapmap_column(map, (uint64_t)i);
        }
    }
    assert_true(map->chunk_log2 > HEAPMAP_CHUNK_LOG2);
    heapmap_rows(map, &rows);
    assert_in_range(rows.rows, 100, HEAPMAP_ROWS);
    for (uint32_t column = 0; column < map->columns; column++)
        assert_true(fabs(live_bytes(column) - (double)live[column]) < 1);
    for (uint32_t row = 1; row < rows.rows; row++)
        assert_true(heapmap_row_address(map, &rows, row) >
                    heapmap_row_address(map, &rows, row - 1));
}

static void a_block_larger_than_the_map(void **state)
{
    (void)state;
    uint64_t size = (uint64_t)40 << 30;
    heapmap_add(map, 0x7f0000000123, size);
    heapmap_column(map, 0);
    heapmap_rows(map, &rows);
    assert_true(fabs(live_bytes(0) - (double)size) < 1);
    heapmap_remove(map, 0x7f0000000123, size);
    heapmap_column(map, 1);
    assert_true(live_bytes(1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ledger_adds_up),
        cmocka_unit_test_setup_teardown(gaps_take_no_rows, start_map, end_map),
        cmocka_unit_test_setup_teardown(merging_keeps_every_byte, start_map, end_map),
        cmocka_unit_test_setup_teardown(a_block_larger_than_the_map, start_map, end_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
