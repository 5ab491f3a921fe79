/* Addresses to numbers: linear probing, deletion by shifting back (Knuth, vol. 3, 6.4, R), so that
 * no tombstones gather however long the trace. */
#include "workloads/addresses.h"

#include <errno.h>

struct addresses_slot {
    uint64_t address; /* 0: empty */
    uint32_t number;
};

enum { ADDRESSES_LEAST = 1024 };

static size_t addresses_mask(const struct addresses *addresses)
{
    size_t room = addresses->slots.bytes / sizeof(struct addresses_slot);
    return room ? ((size_t)1 << (63 - __builtin_clzll(room))) - 1 : 0;
}

/* Fibonacci hashing: addresses differ in their middle bits. */
static size_t addresses_home(uint64_t address, size_t mask)
{
    return (size_t)((address * 0x9e3779b97f4a7c15u) >> 32) & mask;
}

static size_t addresses_probe(const struct addresses *addresses, uint64_t address, size_t mask)
{
    const struct addresses_slot *slots = addresses->slots.at;
    size_t at = addresses_home(address, mask);
    while (slots[at].address && slots[at].address != address)
        at = (at + 1) & mask;
    return at;
}

uint32_t addresses_find(const struct addresses *addresses, uint64_t address)
{
    if (!addresses->count)
        return ADDRESSES_NONE;
    const struct addresses_slot *slots = addresses->slots.at;
    size_t at = addresses_probe(addresses, address, addresses_mask(addresses));
    return slots[at].address ? slots[at].number : ADDRESSES_NONE;
}

static void addresses_place(struct addresses *addresses, uint64_t address, uint32_t number)
{
    struct addresses_slot *slots = addresses->slots.at;
    size_t at = addresses_probe(addresses, address, addresses_mask(addresses));
    slots[at] = (struct addresses_slot){address, number};
}

static int addresses_grow(struct addresses *addresses)
{
    struct addresses larger = {.count = addresses->count};
    size_t bytes = addresses->slots.bytes ? addresses->slots.bytes * 2
                                          : ADDRESSES_LEAST * sizeof(struct addresses_slot);
    if (array_reserve(&larger.slots, bytes))
        return -ENOMEM;
    const struct addresses_slot *slots = addresses->slots.at;
    for (size_t i = 0; slots && i <= addresses_mask(addresses); i++)
        if (slots[i].address)
            addresses_place(&larger, slots[i].address, slots[i].number);
    array_release(&addresses->slots);
    *addresses = larger;
    return 0;
}

int addresses_enter(struct addresses *addresses, uint64_t address, uint32_t number)
{
    if (addresses->count * 2 >= addresses_mask(addresses) && addresses_grow(addresses))
        return -ENOMEM;
    addresses_place(addresses, address, number);
    addresses->count++;
    return 0;
}

/* Whether the entry whose home is `home` may stand at `hole` rather than at `at`. */
static bool addresses_reaches(size_t home, size_t hole, size_t at, size_t mask)
{
    return ((at - home) & mask) >= ((at - hole) & mask);
}

uint32_t addresses_leave(struct addresses *addresses, uint64_t address)
{
    if (!addresses->count)
        return ADDRESSES_NONE;
    struct addresses_slot *slots = addresses->slots.at;
    size_t mask = addresses_mask(addresses), hole = addresses_probe(addresses, address, mask);
    if (!slots[hole].address)
        return ADDRESSES_NONE;
    uint32_t number = slots[hole].number;
    for (size_t at = (hole + 1) & mask; slots[at].address; at = (at + 1) & mask)
        if (addresses_reaches(addresses_home(slots[at].address, mask), hole, at, mask)) {
            slots[hole] = slots[at];
            hole = at;
        }
    slots[hole].address = 0;
    addresses->count--;
    return number;
}

void addresses_release(struct addresses *addresses)
{
    array_release(&addresses->slots);
    addresses->count = 0;
}
