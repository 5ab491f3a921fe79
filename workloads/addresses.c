/* Addresses to numbers. */
#include "workloads/addresses.h"

#include <errno.h>

enum {
    ADDRESSES_GRAIN = 4, /* as a power of two: what most allocators align to */
    ADDRESSES_PAGE = 12,
    ADDRESSES_LEAF = 1 << (ADDRESSES_PAGE - ADDRESSES_GRAIN),
    ADDRESSES_USED = 16, /* low bits of a leaf's value: its addresses; its number is above them */
};
_Static_assert(ADDRESSES_LEAF < 1 << ADDRESSES_USED, "a full leaf can be counted");

/* One bit of an address above the page is not needed, and keeps the key from being 0. */
static uint64_t addresses_key(uint64_t address)
{
    uint64_t low = address & ((1 << ADDRESSES_GRAIN) - 1);
    return UINT64_C(1) << 63 | address >> ADDRESSES_PAGE << ADDRESSES_GRAIN | low;
}

static uint32_t *addresses_cells(const struct addresses *addresses, uint64_t leaf)
{
    return (uint32_t *)addresses->cells.at + leaf * ADDRESSES_LEAF;
}

static uint32_t *addresses_cell(const struct addresses *addresses, const struct table_slot *slot,
                                uint64_t address)
{
    return addresses_cells(addresses, slot->value >> ADDRESSES_USED) +
           (address >> ADDRESSES_GRAIN) % ADDRESSES_LEAF;
}

static struct table_slot *addresses_slot(struct addresses *addresses, uint64_t address)
{
    uint64_t key = addresses_key(address);
    if (!addresses->recent || addresses->recent->key != key)
        addresses->recent = table_find(&addresses->leaves, key);
    return addresses->recent;
}

uint32_t addresses_find(struct addresses *addresses, uint64_t address)
{
    const struct table_slot *slot = addresses_slot(addresses, address);
    return slot ? *addresses_cell(addresses, slot, address) - 1 : ADDRESSES_NONE;
}

/* A leaf without any address in it. */
static int addresses_new_leaf(struct addresses *addresses, uint64_t *leaf)
{
    size_t needed = (addresses->leaf_count + (size_t)1) * ADDRESSES_LEAF * sizeof(uint32_t);
    if (addresses->spare) {
        *leaf = addresses->spare - 1;
        addresses->spare = *addresses_cells(addresses, *leaf);
        *addresses_cells(addresses, *leaf) = 0;
        return 0;
    }
    if (array_reserve(&addresses->cells, needed))
        return -ENOMEM;
    *leaf = addresses->leaf_count++;
    return 0;
}

static struct table_slot *addresses_begin(struct addresses *addresses, uint64_t address)
{
    uint64_t leaf;
    if (addresses_new_leaf(addresses, &leaf))
        return NULL;
    addresses->recent = table_enter(&addresses->leaves, addresses_key(address));
    if (addresses->recent)
        addresses->recent->value = leaf << ADDRESSES_USED;
    return addresses->recent;
}

int addresses_enter(struct addresses *addresses, uint64_t address, uint32_t number)
{
    struct table_slot *slot = addresses_slot(addresses, address);
    if (!slot && !(slot = addresses_begin(addresses, address)))
        return -ENOMEM;
    *addresses_cell(addresses, slot, address) = number + 1;
    slot->value++;
    addresses->count++;
    return 0;
}

static void addresses_end(struct addresses *addresses, struct table_slot *slot)
{
    uint64_t leaf = slot->value >> ADDRESSES_USED;
    *addresses_cells(addresses, leaf) = addresses->spare;
    addresses->spare = (uint32_t)leaf + 1;
    table_leave(&addresses->leaves, slot);
    addresses->recent = NULL;
}

uint32_t addresses_leave(struct addresses *addresses, uint64_t address)
{
    struct table_slot *slot = addresses_slot(addresses, address);
    uint32_t *cell = slot ? addresses_cell(addresses, slot, address) : NULL;
    if (!cell || !*cell)
        return ADDRESSES_NONE;
    uint32_t number = *cell - 1;
    *cell = 0;
    addresses->count--;
    if (--slot->value % (1 << ADDRESSES_USED) == 0)
        addresses_end(addresses, slot);
    return number;
}

void addresses_release(struct addresses *addresses)
{
    table_release(&addresses->leaves);
    array_release(&addresses->cells);
    *addresses = (struct addresses){0};
}
