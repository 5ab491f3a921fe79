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

/* Fibonacci hashing: keys differ in their lower bits. */
static inline size_t table_home(const struct table *table, uint64_t key)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 24) & table->mask;
}

/* The slot of `key`, or the empty one where it belongs; there is a table. */
static inline struct table_slot *table_probe(const struct table *table, uint64_t key)
{
    struct table_slot *slots = table->slots.at;
    size_t at = table_home(table, key);
    while (slots[at].key && slots[at].key != key)
        at = (at + 1) & table->mask;
    return &slots[at];
}

/* The slot of `key` (never 0), or NULL. Valid until a slot is entered or left. */
static inline struct table_slot *table_find(const struct table *table, uint64_t key)
{
    struct table_slot *slot = table->mask ? table_probe(table, key) : NULL;
    return slot && slot->key ? slot : NULL;
}

/* The slot of `key`, new with the value 0 where there was none. NULL: no memory. */
struct table_slot *table_enter(struct table *table, uint64_t key);

void table_leave(struct table *table, struct table_slot *slot);

void table_release(struct table *table);

#endif
