/* A hash table of 64-bit keys. */
#include "workloads/table.h"

#include <stdbool.h>

enum { TABLE_LEAST = 1024 };

static int table_grow(struct table *table)
{
    size_t room = table->mask ? 2 * (table->mask + 1) : TABLE_LEAST;
    struct table larger = {.mask = room - 1, .count = table->count};
    int failed = array_reserve(&larger.slots, room * sizeof(struct table_slot));
    if (failed)
        return failed;
    const struct table_slot *slots = table->slots.at;
    for (size_t i = 0; slots && i <= table->mask; i++)
        if (slots[i].key)
            *table_probe(&larger, slots[i].key) = slots[i];
    array_release(&table->slots);
    *table = larger;
    return 0;
}

struct table_slot *table_enter(struct table *table, uint64_t key)
{
    if (2 * table->count >= table->mask && table_grow(table))
        return NULL;
    struct table_slot *slot = table_probe(table, key);
    table->count += !slot->key;
    slot->key = key;
    return slot;
}

/* Whether the entry whose home is `home` may stand at `hole` rather than at `at`. */
static bool table_reaches(size_t home, size_t hole, size_t at, size_t mask)
{
    return ((at - home) & mask) >= ((at - hole) & mask);
}

void table_leave(struct table *table, struct table_slot *slot)
{
    struct table_slot *slots = table->slots.at;
    size_t mask = table->mask, hole = (size_t)(slot - slots);
    for (size_t at = (hole + 1) & mask; slots[at].key; at = (at + 1) & mask)
        if (table_reaches(table_home(table, slots[at].key), hole, at, mask)) {
            slots[hole] = slots[at];
            hole = at;
        }
    slots[hole] = (struct table_slot){0};
    table->count--;
}

void table_release(struct table *table)
{
    array_release(&table->slots);
    *table = (struct table){0};
}
