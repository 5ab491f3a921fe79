/* Which blocks are live, kept beside a heap and out of a program's reach: for a layer that checks,
 * and for a preload that hands out other addresses than the backend did.
 *
 * Open addressing over private pages, so that a forked child has a copy of its own. The caller
 * serialises. */
#ifndef ALLOCATORS_BLOCK_TABLE_H
#define ALLOCATORS_BLOCK_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum block_state { BLOCK_UNKNOWN, BLOCK_LIVE, BLOCK_FREED };

struct block_row {
    void *key;    /* the block as its user knows it */
    void *ref;    /* the block as the heap below knows it */
    size_t size;  /* bytes asked for */
    size_t front; /* bytes between the start of the block below and it */
    enum block_state state;
};

struct block_table {
    struct block_row *rows;
    size_t capacity; /* a power of two */
    size_t filled;   /* rows live or freed */
    size_t live;
};

bool block_table_init(struct block_table *table); /* false: no memory */
void block_table_release(struct block_table *table);

/* False without memory for another block. */
bool block_table_enter(struct block_table *table, void *key, void *ref, size_t size, size_t front);

/* The row of a block, valid until the next enter. BLOCK_FREED is remembered until the table is
 * rebuilt: it only names a fault better. */
const struct block_row *block_table_find(const struct block_table *table, const void *key);

/* Takes out a live block: its row as it was; state is another when it is not live. */
struct block_row block_table_leave(struct block_table *table, const void *key);

#endif
