/* Which live object an address belongs to: an open-addressing table of exact addresses. */
#ifndef WORKLOADS_ADDRESSES_H
#define WORKLOADS_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workloads/array.h"

struct addresses {
    struct array slots; /* struct addresses_slot, a power of two of them, at most half full */
    size_t count;
};

#define ADDRESSES_NONE UINT32_MAX

/* The number at `address` (never 0), or ADDRESSES_NONE. */
uint32_t addresses_find(const struct addresses *addresses, uint64_t address);

/* Enters an address that is not there, with a number below ADDRESSES_NONE. 0 or -ENOMEM. A zeroed
 * struct is an empty table. */
int addresses_enter(struct addresses *addresses, uint64_t address, uint32_t number);

/* Takes an address out and returns its number, or ADDRESSES_NONE. */
uint32_t addresses_leave(struct addresses *addresses, uint64_t address);

void addresses_release(struct addresses *addresses);

#endif
