/* The fixed policy by which objects get their numbers, so that no allocation's number need be
 * stored: the number freed last is taken first, and when none is free, the next new one.
 *
 * All free numbers are one chain, the new ones at its end, so that taking is one load. */
#ifndef WORKLOADS_NUMBERING_H
#define WORKLOADS_NUMBERING_H

#include <stdbool.h>
#include <stdint.h>

#include "workloads/array.h"

struct numbering {
    struct array links; /* uint32_t a number: NUMBERING_LIVE, or the free number to take next */
    uint32_t head;      /* the free number to take first */
    uint32_t live;
    uint32_t ready; /* numbers below this are in the table */
};

#define NUMBERING_LIVE UINT32_MAX

static inline void numbering_init(struct numbering *numbering)
{
    *numbering = (struct numbering){.head = 0};
}

static inline void numbering_release(struct numbering *numbering)
{
    array_release(&numbering->links);
}

/* The rare half of numbering_reserve. */
int numbering_grow(struct numbering *numbering, uint32_t more);

/* Makes numbers ready for `more` further takes. 0 or -ENOMEM (also where numbers run out). */
static inline int numbering_reserve(struct numbering *numbering, uint32_t more)
{
    bool ready = (uint64_t)numbering->live + more <= numbering->ready;
    return ready ? 0 : numbering_grow(numbering, more);
}

static inline uint32_t *numbering_links(const struct numbering *numbering)
{
    return numbering->links.at;
}

static inline bool numbering_is_live(const struct numbering *numbering, uint32_t object)
{
    return object < numbering->ready && numbering_links(numbering)[object] == NUMBERING_LIVE;
}

/* The next number; it was reserved. */
static inline uint32_t numbering_take(struct numbering *numbering)
{
    uint32_t *links = numbering_links(numbering), object = numbering->head;
    numbering->head = links[object];
    links[object] = NUMBERING_LIVE;
    numbering->live++;
    return object;
}

/* Gives back a live number. */
static inline void numbering_give(struct numbering *numbering, uint32_t object)
{
    numbering_links(numbering)[object] = numbering->head;
    numbering->head = object;
    numbering->live--;
}

#endif
