/* Addresses to numbers: leaves that come and go. */
#include "workloads/addresses.h"

_Static_assert(ADDRESSES_LEAF < 1 << ADDRESSES_USED, "a full leaf can be counted");

static uint32_t *addresses_cells(const struct addresses *addresses, uint64_t leaf)
{
    return (uint32_t *)addresses->cells.at + leaf * ADDRESSES_LEAF;
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
    if (array_reserve_private(&addresses->cells, needed))
        return -ENOMEM;
    *leaf = addresses->leaf_count++;
    return 0;
}

struct table_slot *addresses_begin(struct addresses *addresses, uint64_t address)
{
    uint64_t leaf;
    if (addresses_new_leaf(addresses, &leaf))
        return NULL;
    struct table_slot *slot = table_enter(&addresses->leaves, addresses_key(address));
    if (slot)
        slot->value = leaf << ADDRESSES_USED;
    return slot;
}

void addresses_end(struct addresses *addresses, struct table_slot *slot)
{
    uint64_t leaf = slot->value >> ADDRESSES_USED;
    *addresses_cells(addresses, leaf) = addresses->spare;
    addresses->spare = (uint32_t)leaf + 1;
    table_leave(&addresses->leaves, slot);
}

void addresses_release(struct addresses *addresses)
{
    table_release(&addresses->leaves);
    array_release(&addresses->cells);
    *addresses = (struct addresses){0};
}
