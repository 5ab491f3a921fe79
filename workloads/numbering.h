/* The fixed policy by which objects get their numbers, so that no allocation's number need be
 * stored: the number freed last is taken first, and when none is free, the next new one.
 *
 * The free numbers are a stack, the new ones at its bottom: how many are live tells where its top
 * is, so that a take or a give waits for no load of the one before. */
#ifndef WORKLOADS_NUMBERING_H
#define WORKLOADS_NUMBERING_H

#include <stdbool.h>
#include <stdint.h>

#include "workloads/array.h"

struct numbering {
    struct array stack; /* uint32_t: the free numbers, from place `live` on, the next one first */
    struct array lives; /* uint8_t a number: 1, it is live */
    uint32_t live;
    uint32_t ready; /* numbers below this are in the tables */
};

#define NUMBERING_MOST (UINT32_MAX - 1) /* numbers that there can be */

static inline void numbering_init(struct numbering *numbering)
{
    *numbering = (struct numbering){.live = 0};
}

static inline void numbering_release(struct numbering *numbering)
{
    array_release(&numbering->stack);
    array_release(&numbering->lives);
}

/* The rare half of numbering_reserve. */
int numbering_grow(struct numbering *numbering, uint32_t more);

/* Makes numbers ready for `more` further takes. 0 or -ENOMEM (also where numbers run out). */
static inline int numbering_reserve(struct numbering *numbering, uint32_t more)
{
    bool ready = (uint64_t)numbering->live + more <= numbering->ready;
    return ready ? 0 : numbering_grow(numbering, more);
}

static inline uint32_t *numbering_stack(const struct numbering *numbering)
{
    return numbering->stack.at;
}

static inline uint8_t *numbering_lives(const struct numbering *numbering)
{
    return numbering->lives.at;
}

/* The next number; it was reserved. */
static inline uint32_t numbering_take(struct numbering *numbering)
{
    uint32_t object = numbering_stack(numbering)[numbering->live++];
    numbering_lives(numbering)[object] = 1;
    return object;
}

/* Gives back a live number. */
static inline void numbering_give(struct numbering *numbering, uint32_t object)
{
    numbering_lives(numbering)[object] = 0;
    numbering_stack(numbering)[--numbering->live] = object;
}

#endif
