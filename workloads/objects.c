/* Live objects by address: a hash table with backward-shift deletion, so that it never ages. */
#include "workloads/objects.h"

#include <errno.h>
#include <string.h>

struct slot {
    uint64_t address; /* 0: empty */
    uint32_t number;
};

enum { OBJECTS_FIRST = 1 << 12 };

static struct slot *objects_slots(const struct objects *objects)
{
    return objects->slots.at;
}

/* Fibonacci hashing; blocks are 16 apart, the low bits say nothing. */
static size_t objects_home(const struct objects *objects, uint64_t address)
{
    return (size_t)((address >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & objects->mask;
}

static size_t objects_probe(const struct objects *objects, uint64_t address)
{
    const struct slot *slots = objects_slots(objects);
    size_t i = objects_home(objects, address);
    while (slots[i].address && slots[i].address != address)
        i = (i + 1) & objects->mask;
    return i;
}

uint32_t objects_find(const struct objects *objects, uint64_t address)
{
    if (!objects->mask)
        return OBJECTS_NONE;
    const struct slot *slot = &objects_slots(objects)[objects_probe(objects, address)];
    return slot->address ? slot->number : OBJECTS_NONE;
}

static int objects_grow(struct objects *objects)
{
    size_t count = objects->mask ? 2 * (objects->mask + 1) : OBJECTS_FIRST;
    struct objects bigger = *objects;
    bigger.slots = (struct array){0};
    bigger.mask = count - 1;
    if (array_reserve(&bigger.slots, count * sizeof(struct slot)))
        return -ENOMEM;
    for (size_t i = 0; objects->mask && i <= objects->mask; i++) {
        struct slot slot = objects_slots(objects)[i];
        if (slot.address)
            objects_slots(&bigger)[objects_probe(&bigger, slot.address)] = slot;
    }
    array_release(&objects->slots);
    *objects = bigger;
    return 0;
}

int objects_put(struct objects *objects, uint64_t address, uint32_t number)
{
    if (2 * objects->live >= objects->mask && objects_grow(objects))
        return -ENOMEM;
    objects_slots(objects)[objects_probe(objects, address)] =
        (struct slot){.address = address, .number = number};
    objects->live++;
    return 0;
}

int objects_enter(struct objects *objects, uint64_t address, uint32_t *number)
{
    if (objects->spares)
        *number = ((uint32_t *)objects->spare.at)[--objects->spares];
    else if (objects->numbers < OBJECTS_NONE)
        *number = objects->numbers++;
    else
        return -ENOMEM;
    return objects_put(objects, address, *number);
}

/* Closes the gap at `gap` by what would not be found behind it (Knuth 6.4, algorithm R). */
static void objects_close_gap(struct objects *objects, size_t gap)
{
    struct slot *slots = objects_slots(objects);
    for (size_t i = (gap + 1) & objects->mask; slots[i].address; i = (i + 1) & objects->mask) {
        size_t home = objects_home(objects, slots[i].address);
        if (((i - home) & objects->mask) >= ((i - gap) & objects->mask)) {
            slots[gap] = slots[i];
            gap = i;
        }
    }
    slots[gap].address = 0;
    objects->live--;
}

uint32_t objects_take(struct objects *objects, uint64_t address)
{
    if (!objects->mask)
        return OBJECTS_NONE;
    size_t i = objects_probe(objects, address);
    if (!objects_slots(objects)[i].address)
        return OBJECTS_NONE;
    uint32_t number = objects_slots(objects)[i].number;
    objects_close_gap(objects, i);
    return number;
}

int objects_give(struct objects *objects, uint32_t number)
{
    if (array_reserve(&objects->spare, (objects->spares + 1) * sizeof number))
        return -ENOMEM;
    ((uint32_t *)objects->spare.at)[objects->spares++] = number;
    return 0;
}

uint32_t objects_take_any(struct objects *objects, size_t *at)
{
    for (; objects->live && *at <= objects->mask; ++*at) {
        struct slot *slot = &objects_slots(objects)[*at];
        if (slot->address)
            return objects_take(objects, slot->address);
    }
    return OBJECTS_NONE;
}

void objects_release(struct objects *objects)
{
    array_release(&objects->slots);
    array_release(&objects->spare);
    *objects = (struct objects){0};
}
