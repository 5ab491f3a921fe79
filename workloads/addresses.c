/* Addresses to numbers: leaves that come and go. */
#include "workloads/addresses.h"

#include <string.h>

#include "harness/base/pages.h"

_Static_assert(ADDRESSES_LEAF < ADDRESSES_BYTES, "a full leaf can be counted");

/* Huge pages only for what has grown: a program of a moment would wait for their zeroing. */
static size_t addresses_block_bytes(uint32_t number)
{
    return number < ADDRESSES_SMALL ? ADDRESSES_BLOCK / ADDRESSES_SMALL : ADDRESSES_BLOCK;
}

static int addresses_new_block(struct addresses *addresses)
{
    size_t needed = (addresses->block_count + (size_t)1) * sizeof(char *);
    size_t bytes = addresses_block_bytes(addresses->block_count);
    char *block = array_reserve(&addresses->blocks, needed) ? NULL : pages_map_huge(bytes);
    if (!block)
        return -ENOMEM;
    ((char **)addresses->blocks.at)[addresses->block_count++] = block;
    addresses->fresh = (uint32_t)bytes;
    return 0;
}

/* A leaf without any address in it, or NULL. */
static void *addresses_new_leaf(struct addresses *addresses)
{
    void *leaf = addresses->spare;
    if (leaf) {
        memcpy(&addresses->spare, leaf, sizeof addresses->spare);
        memset(leaf, 0, sizeof addresses->spare);
        return leaf;
    }
    if (!addresses->fresh && addresses_new_block(addresses))
        return NULL;
    addresses->fresh -= ADDRESSES_BYTES;
    char *block = ((char **)addresses->blocks.at)[addresses->block_count - 1];
    return block + addresses->fresh;
}

struct table_slot *addresses_begin(struct addresses *addresses, uint64_t address)
{
    void *leaf = addresses_new_leaf(addresses);
    struct table_slot *slot = leaf ? table_enter(&addresses->leaves, addresses_key(address)) : NULL;
    if (slot)
        slot->value = (uintptr_t)leaf;
    return slot;
}

void addresses_end(struct addresses *addresses, struct table_slot *slot)
{
    void *leaf = (void *)(uintptr_t)slot->value;
    memcpy(leaf, &addresses->spare, sizeof addresses->spare);
    addresses->spare = leaf;
    table_leave(&addresses->leaves, slot);
}

void addresses_release(struct addresses *addresses)
{
    for (uint32_t i = 0; i < addresses->block_count; i++)
        pages_unmap(((char **)addresses->blocks.at)[i], addresses_block_bytes(i));
    table_release(&addresses->leaves);
    array_release(&addresses->blocks);
    *addresses = (struct addresses){0};
}
