/* The heap map: how much of each stretch of address space was live and resident, over time. */
#include "harness/measure/heapmap.h"

#include <string.h>

_Static_assert(HEAPMAP_ROWS < UINT16_MAX, "a row's number fits a slot");

#define NONE UINT32_MAX

void heapmap_init(struct heapmap *map)
{
    map->row_log2 = HEAPMAP_ROW_LOG2;
}

static size_t heapmap_slot(const struct heapmap *map, uint64_t address)
{
    size_t slot = (size_t)((address * 0x9e3779b97f4a7c15u) >> 40) % (2 * HEAPMAP_ROWS);
    while (map->slots[slot] && map->address[map->slots[slot] - 1] != address)
        slot = (slot + 1) % (2 * HEAPMAP_ROWS);
    return slot;
}

/* The number of the row at `address` (in row lengths), taken into the table if there is room. */
static uint32_t heapmap_row(struct heapmap *map, uint64_t address)
{
    size_t slot = heapmap_slot(map, address);
    if (map->slots[slot])
        return map->slots[slot] - 1u;
    if (map->rows == HEAPMAP_ROWS)
        return NONE;
    map->address[map->rows] = address;
    map->load[map->rows] = (struct heapmap_load){0};
    map->slots[slot] = (uint16_t)++map->rows;
    return map->rows - 1;
}

static void heapmap_move(struct heapmap_load *from, struct heapmap_load *to)
{
    struct heapmap_load load = *from;
    *from = (struct heapmap_load){0};
    to->live += load.live;
    to->resident += load.resident;
}

/* Doubles the rows' length. A row's new number is never above its old one, so the columns can be
 * folded in place. */
static void heapmap_coarsen(struct heapmap *map)
{
    uint32_t rows = map->rows;
    map->rows = 0;
    map->row_log2++;
    memset(map->slots, 0, sizeof map->slots);
    for (uint32_t old = 0; old < rows; old++) {
        struct heapmap_load load = map->load[old];
        uint32_t merged = heapmap_row(map, map->address[old] >> 1);
        heapmap_move(&load, &map->load[merged]);
        for (uint32_t column = 0; column < map->columns; column++)
            heapmap_move(&map->shown[column][old], &map->shown[column][merged]);
    }
}

static uint64_t heapmap_part(const struct heapmap *map, uint64_t at, uint64_t end)
{
    uint64_t next = ((at >> map->row_log2) + 1) << map->row_log2;
    return (next < end ? next : end) - at;
}

/* Makes rows for all of a stretch, however long they have to be. */
static void heapmap_make_room(struct heapmap *map, uint64_t address, uint64_t end)
{
    while ((end - address) >> map->row_log2 >= HEAPMAP_ROWS)
        heapmap_coarsen(map);
    for (uint64_t at = address; at < end;)
        if (heapmap_row(map, at >> map->row_log2) == NONE)
            heapmap_coarsen(map);
        else
            at += heapmap_part(map, at, end);
}

void heapmap_add(struct heapmap *map, uint64_t address, uint64_t bytes)
{
    uint64_t end = address + bytes, part;
    heapmap_make_room(map, address, end);
    for (uint64_t at = address; at < end; at += part) {
        part = heapmap_part(map, at, end);
        map->load[heapmap_row(map, at >> map->row_log2)].live += part;
    }
}

void heapmap_remove(struct heapmap *map, uint64_t address, uint64_t bytes)
{
    uint64_t end = address + bytes, part;
    for (uint64_t at = address; at < end; at += part) {
        part = heapmap_part(map, at, end);
        map->load[heapmap_row(map, at >> map->row_log2)].live -= part;
    }
}

void heapmap_add_resident(struct heapmap *map, uint64_t start, uint64_t end)
{
    uint64_t part;
    heapmap_make_room(map, start, end);
    for (uint64_t at = start; at < end; at += part) {
        part = heapmap_part(map, at, end);
        map->load[heapmap_row(map, at >> map->row_log2)].resident += part;
    }
}

void heapmap_column(struct heapmap *map, uint64_t event, bool residency_known)
{
    if (map->columns == HEAPMAP_COLUMNS)
        return;
    map->events[map->columns] = event;
    map->residency_known[map->columns] = residency_known;
    memcpy(map->shown[map->columns], map->load, map->rows * sizeof *map->load);
    map->columns++;
    for (uint32_t row = 0; row < map->rows; row++)
        map->load[row].resident = 0;
}

void heapmap_order(const struct heapmap *map, uint16_t order[HEAPMAP_ROWS])
{
    /* Insertion sort: rows mostly appear in order of address already. */
    for (uint32_t i = 0; i < map->rows; i++) {
        uint32_t to = i;
        for (; to > 0 && map->address[order[to - 1]] > map->address[i]; to--)
            order[to] = order[to - 1];
        order[to] = (uint16_t)i;
    }
}

uint64_t heapmap_row_address(const struct heapmap *map, uint32_t row)
{
    return map->address[row] << map->row_log2;
}

uint64_t heapmap_row_bytes(const struct heapmap *map)
{
    return (uint64_t)1 << map->row_log2;
}
