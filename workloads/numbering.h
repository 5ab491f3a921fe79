/* The fixed policy by which objects get their numbers, so that no allocation's number need be
 * stored: the number freed last is taken first, and a new one only when none is free. */
#ifndef WORKLOADS_NUMBERING_H
#define WORKLOADS_NUMBERING_H

#include <stdbool.h>
#include <stdint.h>

#include "workloads/array.h"

struct numbering {
    struct array link; /* uint32_t an object: NUMBERING_LIVE, or the free number below it */
    uint32_t free;     /* the number freed last, NUMBERING_NONE where there is none */
    uint32_t used;     /* numbers ever given out: 0 … used-1 */
};

#define NUMBERING_LIVE UINT32_MAX
#define NUMBERING_NONE (UINT32_MAX - 1)

static inline void numbering_init(struct numbering *numbering)
{
    *numbering = (struct numbering){.free = NUMBERING_NONE};
}

static inline void numbering_release(struct numbering *numbering)
{
    array_release(&numbering->link);
}

/* Room for `more` further takes. 0 or -ENOMEM (also where numbers would run out). */
int numbering_reserve(struct numbering *numbering, uint32_t more);

static inline bool numbering_is_live(const struct numbering *numbering, uint32_t object)
{
    return object < numbering->used &&
           ((const uint32_t *)numbering->link.at)[object] == NUMBERING_LIVE;
}

/* The next number; room was reserved. */
static inline uint32_t numbering_take(struct numbering *numbering)
{
    uint32_t *link = numbering->link.at;
    uint32_t object = numbering->free;
    if (object == NUMBERING_NONE)
        object = numbering->used++;
    else
        numbering->free = link[object];
    link[object] = NUMBERING_LIVE;
    return object;
}

/* Gives back a live number. */
static inline void numbering_give(struct numbering *numbering, uint32_t object)
{
    ((uint32_t *)numbering->link.at)[object] = numbering->free;
    numbering->free = object;
}

#endif
