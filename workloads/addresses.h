/* Which live object an address belongs to: a table of exact addresses.
 *
 * The numbers of neighbouring addresses lie side by side, 16 KiB of address space in a leaf of 4
 * KiB, so that the table is touched where the program touches its heap; a hash table finds the
 * leaf. Addresses with other low bits than those of their neighbours have leaves of their own. */
#ifndef WORKLOADS_ADDRESSES_H
#define WORKLOADS_ADDRESSES_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "workloads/table.h"

/* A zeroed struct is an empty table. */
struct addresses {
    struct table leaves;  /* by page and low bits; value: where the leaf is, and its addresses */
    struct array blocks;  /* char *: leaves, mapped by the block */
    uint32_t block_count; /* of `blocks` */
    uint32_t fresh;       /* bytes of the last block that no leaf has taken */
    void *spare;          /* emptied leaf to use first, linked through their first cells */
};

#define ADDRESSES_NONE UINT32_MAX

enum {
    ADDRESSES_GRAIN = 4, /* as a power of two: what most allocators align to */
    ADDRESSES_SPAN = 14, /* likewise: what a leaf covers */
    ADDRESSES_LEAF = 1 << (ADDRESSES_SPAN - ADDRESSES_GRAIN),
    ADDRESSES_BYTES = ADDRESSES_LEAF * 4, /* as a leaf is aligned */
    ADDRESSES_BLOCK = 2 << 20,            /* bytes mapped together … */
    ADDRESSES_SMALL = 16, /* … but for so many at first, which are as many times smaller */
};

/* All of an address but its place in the leaf; the highest bit keeps the key from being 0. */
static inline uint64_t addresses_key(uint64_t address)
{
    uint64_t place = (UINT64_C(1) << ADDRESSES_SPAN) - (UINT64_C(1) << ADDRESSES_GRAIN);
    return UINT64_C(1) << 63 | (address & ~place);
}

/* The leaf's slot, or NULL. */
static inline struct table_slot *addresses_slot(const struct addresses *addresses, uint64_t address)
{
    return table_find(&addresses->leaves, addresses_key(address));
}

/* The number there + 1. */
static inline uint32_t *addresses_cell(const struct table_slot *slot, uint64_t address)
{
    return (uint32_t *)(uintptr_t)(slot->value & -(uint64_t)ADDRESSES_BYTES) +
           (address >> ADDRESSES_GRAIN) % ADDRESSES_LEAF;
}

/* The number at `address` (never 0), or ADDRESSES_NONE. */
static inline uint32_t addresses_find(const struct addresses *addresses, uint64_t address)
{
    const struct table_slot *slot = addresses_slot(addresses, address);
    return slot ? *addresses_cell(slot, address) - 1 : ADDRESSES_NONE;
}

/* The cell of an address whose leaf is there, else NULL: for fetching it ahead. */
static inline uint32_t *addresses_expect(const struct addresses *addresses, uint64_t address)
{
    const struct table_slot *slot = addresses_slot(addresses, address);
    return slot ? addresses_cell(slot, address) : NULL;
}

/* The rare halves of the next two: a leaf's first address, and its last. */
struct table_slot *addresses_begin(struct addresses *addresses, uint64_t address);
void addresses_end(struct addresses *addresses, struct table_slot *slot);

/* Enters an address with a number below ADDRESSES_NONE. 0, 1 where the address is there already, or
 * -ENOMEM. */
static inline int addresses_enter(struct addresses *addresses, uint64_t address, uint32_t number)
{
    struct table_slot *slot = addresses_slot(addresses, address);
    if (!slot && !(slot = addresses_begin(addresses, address)))
        return -ENOMEM;
    uint32_t *cell = addresses_cell(slot, address);
    if (*cell)
        return 1;
    *cell = number + 1;
    slot->value++;
    return 0;
}

/* Takes an address out and returns its number, or ADDRESSES_NONE. */
static inline uint32_t addresses_leave(struct addresses *addresses, uint64_t address)
{
    struct table_slot *slot = addresses_slot(addresses, address);
    uint32_t *cell = slot ? addresses_cell(slot, address) : NULL;
    if (!cell || !*cell)
        return ADDRESSES_NONE;
    uint32_t number = *cell - 1;
    *cell = 0;
    if (--slot->value % ADDRESSES_BYTES == 0)
        addresses_end(addresses, slot);
    return number;
}

void addresses_release(struct addresses *addresses);

#endif
