/* Which live object an address belongs to: a table of exact addresses.
 *
 * The numbers of neighbouring addresses lie side by side, 4 KiB of address space in a leaf of 1
 * KiB, so that the table is touched where the program touches its heap; a hash table finds the
 * leaf. Addresses with other low bits than those of their neighbours have leaves of their own. */
#ifndef WORKLOADS_ADDRESSES_H
#define WORKLOADS_ADDRESSES_H

#include <stddef.h>
#include <stdint.h>

#include "workloads/table.h"

/* A zeroed struct is an empty table. */
struct addresses {
    struct table leaves; /* by page and low bits; value: struct addresses_leaf as bits */
    struct array cells;  /* uint32_t: number + 1; ADDRESSES_LEAF of them a leaf */
    uint32_t leaf_count; /* ever in use at once */
    uint32_t spare;      /* emptied leaf to use first, + 1; linked through their first cells */
    size_t count;        /* addresses */
    struct table_slot *recent; /* the leaf named last, or NULL */
};

#define ADDRESSES_NONE UINT32_MAX

/* The number at `address` (never 0), or ADDRESSES_NONE. */
uint32_t addresses_find(struct addresses *addresses, uint64_t address);

/* Enters an address that is not there, with a number below ADDRESSES_NONE. 0 or -ENOMEM. */
int addresses_enter(struct addresses *addresses, uint64_t address, uint32_t number);

/* Takes an address out and returns its number, or ADDRESSES_NONE. */
uint32_t addresses_leave(struct addresses *addresses, uint64_t address);

void addresses_release(struct addresses *addresses);

#endif
