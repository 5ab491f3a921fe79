/* The heap map: how much of each stretch of address space was live, over time. */
#include "harness/measure/heapmap.h"

#include <string.h>

_Static_assert(HEAPMAP_CHUNKS < UINT16_MAX, "a chunk's number fits a slot");

#define NONE UINT32_MAX

void heapmap_init(struct heapmap *map)
{
    map->chunk_log2 = HEAPMAP_CHUNK_LOG2;
}

static size_t heapmap_slot(const struct heapmap *map, uint64_t address)
{
    size_t slot = (size_t)((address * 0x9e3779b97f4a7c15u) >> 40) % (2 * HEAPMAP_CHUNKS);
    while (map->slots[slot] && map->address[map->slots[slot] - 1] != address)
        slot = (slot + 1) % (2 * HEAPMAP_CHUNKS);
    return slot;
}

/* The number of the chunk at `address` (in chunk lengths), taken into the table if there is room.
 */
static uint32_t heapmap_chunk(struct heapmap *map, uint64_t address)
{
    size_t slot = heapmap_slot(map, address);
    if (map->slots[slot])
        return map->slots[slot] - 1u;
    if (map->chunks == HEAPMAP_CHUNKS)
        return NONE;
    map->address[map->chunks] = address;
    map->live[map->chunks] = 0;
    map->slots[slot] = (uint16_t)++map->chunks;
    return map->chunks - 1;
}

/* Doubles the chunks' length. A chunk's new number is never above its old one, so the columns can
 * be folded in place. */
static void heapmap_coarsen(struct heapmap *map)
{
    uint32_t chunks = map->chunks;
    map->chunks = 0;
    map->chunk_log2++;
    memset(map->slots, 0, sizeof map->slots);
    for (uint32_t old = 0; old < chunks; old++) {
        uint64_t live = map->live[old];
        uint32_t before = map->chunks;
        uint32_t merged = heapmap_chunk(map, map->address[old] >> 1);
        map->live[merged] = live + (merged < before ? map->live[merged] : 0);
        for (uint32_t column = 0; column < map->columns; column++) {
            uint64_t *shown = map->shown[column], bytes = shown[old];
            shown[old] = 0;
            shown[merged] += bytes;
        }
    }
}

/* Visits the chunks of a block; false when one of them found no room. */
static uint64_t heapmap_part(const struct heapmap *map, uint64_t at, uint64_t end)
{
    uint64_t next = ((at >> map->chunk_log2) + 1) << map->chunk_log2;
    return (next < end ? next : end) - at;
}

static void heapmap_make_room(struct heapmap *map, uint64_t address, uint64_t end)
{
    uint64_t at = address;
    while (at < end) {
        if (heapmap_chunk(map, at >> map->chunk_log2) == NONE) {
            heapmap_coarsen(map);
            continue;
        }
        at += heapmap_part(map, at, end);
    }
}

void heapmap_add(struct heapmap *map, uint64_t address, uint64_t bytes)
{
    uint64_t end = address + bytes, part;
    while (bytes >> map->chunk_log2 >= HEAPMAP_CHUNKS)
        heapmap_coarsen(map);
    heapmap_make_room(map, address, end);
    for (uint64_t at = address; at < end; at += part) {
        part = heapmap_part(map, at, end);
        map->live[heapmap_chunk(map, at >> map->chunk_log2)] += part;
    }
}

void heapmap_remove(struct heapmap *map, uint64_t address, uint64_t bytes)
{
    uint64_t end = address + bytes, part;
    for (uint64_t at = address; at < end; at += part) {
        part = heapmap_part(map, at, end);
        map->live[heapmap_chunk(map, at >> map->chunk_log2)] -= part;
    }
}

void heapmap_column(struct heapmap *map, uint64_t event)
{
    if (map->columns == HEAPMAP_COLUMNS)
        return;
    map->events[map->columns] = event;
    memcpy(map->shown[map->columns], map->live, map->chunks * sizeof *map->live);
    map->columns++;
}

void heapmap_rows(const struct heapmap *map, struct heapmap_rows *rows)
{
    /* Insertion sort: chunks mostly appear in order of address already. */
    for (uint32_t i = 0; i < map->chunks; i++) {
        uint32_t to = i;
        for (; to > 0 && map->address[rows->order[to - 1]] > map->address[i]; to--)
            rows->order[to] = rows->order[to - 1];
        rows->order[to] = (uint16_t)i;
    }
    rows->chunks_a_row = (map->chunks + HEAPMAP_ROWS - 1) / HEAPMAP_ROWS;
    rows->rows = map->chunks ? (map->chunks + rows->chunks_a_row - 1) / rows->chunks_a_row : 0;
}

uint64_t heapmap_row_address(const struct heapmap *map, const struct heapmap_rows *rows,
                             uint32_t row)
{
    return map->address[rows->order[row * rows->chunks_a_row]] << map->chunk_log2;
}

double heapmap_live_share(const struct heapmap *map, const struct heapmap_rows *rows,
                          uint32_t column, uint32_t row)
{
    uint64_t live = 0, chunks = 0;
    for (uint32_t i = row * rows->chunks_a_row;
         i < map->chunks && i < (row + 1) * rows->chunks_a_row; i++, chunks++)
        live += map->shown[column][rows->order[i]];
    return (double)live / (double)(chunks << map->chunk_log2);
}
