/* The places of free blocks in the list of ostep, without a look at their headers.
 *
 * One entry a word of the map (64 granules): of the blocks in the list that begin in it, the one
 * that was put there last. The header of any other tells its own place. Freeing a block takes its
 * neighbours out of the list; their headers are memory that the caches have long forgotten, and
 * loads that everything else waits for. 8 bytes for 1024. */
#ifndef ALLOCATORS_OSTEP_PLACES_H
#define ALLOCATORS_OSTEP_PLACES_H

#include <stdbool.h>

#include "allocators/fit_store.h"
#include "allocators/granules.h"

struct ostep_place {
    uint32_t begins; /* position and 1; 0: none */
    uint32_t slot;
};

/* Bytes of a table for positions up to `last`. */
static inline size_t ostep_places_bytes(size_t last)
{
    return ((last >> GRANULES_WORD_LOG2) + 1) * sizeof(struct ostep_place);
}

/* The entry for `position`, whichever block it tells of. */
FIT_INLINE struct ostep_place *ostep_places_at(struct ostep_place *table, size_t position)
{
    return &table[position >> GRANULES_WORD_LOG2];
}

FIT_INLINE bool ostep_place_is_of(const struct ostep_place *place, size_t position)
{
    return place->begins == (uint32_t)position + 1;
}

#endif
