/* A hash table of 64-bit keys and values: open addressing, linear probing, deletion by shifting
 * back (Knuth, vol. 3, 6.4, R), so that no tombstones gather however long it lives. */
#ifndef WORKLOADS_TABLE_H
#define WORKLOADS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "workloads/array.h"

/* A zeroed struct is an empty table. */
struct table {
    struct array slots; /* struct table_slot, a power of two of them, at most half full */
    size_t mask;        /* slots - 1, 0 while there are none */
    size_t count;
};

struct table_slot {
    uint64_t key; /* 0: empty */
    uint64_t value;
};

/* The slot of `key` (never 0), or NULL. Valid until a slot is entered or left. */
struct table_slot *table_find(const struct table *table, uint64_t key);

/* The slot of `key`, new with the value 0 where there was none. NULL: no memory. */
struct table_slot *table_enter(struct table *table, uint64_t key);

void table_leave(struct table *table, struct table_slot *slot);

void table_release(struct table *table);

#endif
