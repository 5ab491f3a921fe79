/* Which blocks are live, kept beside a heap. */
#include "allocators/block_table.h"

#include <stdint.h>

#include "harness/base/pages.h"

enum { BLOCK_TABLE_MIN = 4096 }; /* rows; a power of two */

bool block_table_init(struct block_table *table)
{
    *table = (struct block_table){.capacity = BLOCK_TABLE_MIN};
    table->rows = pages_map_private(table->capacity * sizeof *table->rows);
    return table->rows != NULL;
}

void block_table_release(struct block_table *table)
{
    pages_unmap(table->rows, table->capacity * sizeof *table->rows);
}

static struct block_row *block_table_at(const struct block_table *table, const void *key)
{
    size_t mask = table->capacity - 1;
    size_t at = (size_t)(((uintptr_t)key * 0x9e3779b97f4a7c15u) >> 32) & mask;
    while (table->rows[at].state != BLOCK_UNKNOWN && table->rows[at].key != key)
        at = (at + 1) & mask;
    return &table->rows[at];
}

static bool block_table_rebuild(struct block_table *table)
{
    struct block_table fresh = {.filled = table->live, .live = table->live};
    fresh.capacity = table->live * 4 > table->capacity ? table->capacity * 2 : table->capacity;
    fresh.rows = pages_map_private(fresh.capacity * sizeof *fresh.rows);
    if (!fresh.rows)
        return false;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->rows[i].state == BLOCK_LIVE)
            *block_table_at(&fresh, table->rows[i].key) = table->rows[i];
    block_table_release(table);
    *table = fresh;
    return true;
}

bool block_table_enter(struct block_table *table, void *key, void *ref, size_t size, size_t front)
{
    if (table->filled * 4 >= table->capacity * 3 && !block_table_rebuild(table))
        return false;
    struct block_row *row = block_table_at(table, key);
    table->filled += row->state == BLOCK_UNKNOWN;
    table->live += row->state != BLOCK_LIVE;
    *row = (struct block_row){key, ref, size, front, BLOCK_LIVE};
    return true;
}

const struct block_row *block_table_find(const struct block_table *table, const void *key)
{
    return block_table_at(table, key);
}

struct block_row block_table_leave(struct block_table *table, const void *key)
{
    struct block_row *row = block_table_at(table, key), left = *row;
    if (row->state == BLOCK_LIVE) {
        row->state = BLOCK_FREED;
        table->live--;
    }
    return left;
}
