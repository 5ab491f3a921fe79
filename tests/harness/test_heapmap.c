/* The heap map: what is live and resident, and where. */
#include "harness/measure/heapmap.h"

#include <stdlib.h>

#include "harness/base/rng.h"
#include "tests/unit.h"

static struct heapmap *map;
static uint16_t order[HEAPMAP_ROWS];

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
    heapmap_add_resident(map, 0x555555560000, 0x555555562000);
    heapmap_column(map, 7, true);
    heapmap_remove(map, 0x7ffff0000000, 4096);
    heapmap_column(map, 9, false);
    heapmap_order(map, order);
    assert_int_equal(map->rows, 3);
    assert_int_equal(map->columns, 2);
    assert_int_equal(map->events[1], 9);
    assert_true(map->residency_known[0] && !map->residency_known[1]);
    assert_int_equal(heapmap_row_address(map, order[0]), 0x555555560000);
    assert_int_equal(heapmap_row_address(map, order[1]), 0x555555561000);
    assert_int_equal(heapmap_row_address(map, order[2]), 0x7ffff0000000);
    assert_int_equal(map->shown[0][order[0]].live, 2048);
    assert_int_equal(map->shown[0][order[0]].resident, 4096);
    assert_int_equal(map->shown[0][order[1]].live, 0);
    assert_int_equal(map->shown[0][order[1]].resident, 4096);
    assert_int_equal(map->shown[0][order[2]].live, 4096);
    assert_int_equal(map->shown[0][order[2]].resident, 0);
    assert_int_equal(map->shown[1][order[2]].live, 0);
    /* Residency is told anew for each column. */
    assert_int_equal(map->shown[1][order[0]].resident, 0);
}

static uint64_t bytes_of(uint32_t column, bool resident)
{
    uint64_t bytes = 0;
    for (uint32_t row = 0; row < map->rows; row++) {
        const struct heapmap_load *load = &map->shown[column][row];
        assert_true(load->live <= heapmap_row_bytes(map));
        assert_true(load->resident <= heapmap_row_bytes(map));
        bytes += resident ? load->resident : load->live;
    }
    return bytes;
}

/* However often rows are merged, no byte is lost or counted twice, in any column. */
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
        if (i % 20 == 0) {
            live[map->columns] = bytes;
            heapmap_add_resident(map, 0x10000000, 0x10000000 + ((uint64_t)i << 12));
            heapmap_column(map, (uint64_t)i, true);
        }
    }
    assert_true(map->row_log2 > HEAPMAP_ROW_LOG2);
    heapmap_order(map, order);
    assert_in_range(map->rows, HEAPMAP_ROWS / 4, HEAPMAP_ROWS);
    for (uint32_t column = 0; column < map->columns; column++) {
        assert_int_equal(bytes_of(column, false), live[column]);
        assert_int_equal(bytes_of(column, true), (uint64_t)column * 20 << 12);
    }
    for (uint32_t row = 1; row < map->rows; row++)
        assert_true(heapmap_row_address(map, order[row]) >
                    heapmap_row_address(map, order[row - 1]));
}

static void a_block_larger_than_the_map(void **state)
{
    (void)state;
    uint64_t size = (uint64_t)40 << 30;
    heapmap_add(map, 0x7f0000000123, size);
    heapmap_column(map, 0, false);
    assert_int_equal(bytes_of(0, false), size);
    heapmap_remove(map, 0x7f0000000123, size);
    heapmap_column(map, 1, false);
    assert_int_equal(bytes_of(1, false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gaps_take_no_rows, start_map, end_map),
        cmocka_unit_test_setup_teardown(merging_keeps_every_byte, start_map, end_map),
        cmocka_unit_test_setup_teardown(a_block_larger_than_the_map, start_map, end_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
