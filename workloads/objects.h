/* From addresses to object numbers while a recording is read: what the program has live, and where.
 */
#ifndef WORKLOADS_OBJECTS_H
#define WORKLOADS_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "workloads/array.h"

#define OBJECTS_NONE UINT32_MAX

/* A zeroed struct is an empty table. */
struct objects {
    struct array slots; /* open addressing with linear probing; a power of two of them */
    struct array spare; /* uint32_t: numbers given back */
    size_t mask;        /* slots - 1, 0 while there are none */
    size_t live;
    uint32_t numbers, spares;
};

/* The number of the object at `address` (never 0), or OBJECTS_NONE. */
uint32_t objects_find(const struct objects *objects, uint64_t address);

/* Enters an object with a number that no live one has, at an address where none is. 0 or -ENOMEM.
 */
int objects_enter(struct objects *objects, uint64_t address, uint32_t *number);

/* Takes the object out and keeps its number taken (it moves: objects_put follows, or objects_give).
 * OBJECTS_NONE where there is none. */
uint32_t objects_take(struct objects *objects, uint64_t address);
int objects_put(struct objects *objects, uint64_t address, uint32_t number);
int objects_give(struct objects *objects, uint32_t number);

/* Any object that is live, taken out; OBJECTS_NONE when there is none left. `*at` is 0 at first. */
uint32_t objects_take_any(struct objects *objects, size_t *at);

void objects_release(struct objects *objects);

#endif
