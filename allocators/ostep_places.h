/* The places of free blocks in the list of ostep, without a look at their headers.
 *
 * Behind each word of the map (64 granules) stand notes of two: of the blocks in the list that
 * begin in it, the ones that were put there last. The header of any other tells its own place.
 * Freeing a block takes its neighbours out of the list; their headers are memory that the caches
 * have long forgotten, and loads that everything else waits for, while the word has been looked at
 * anyway.
 *
 * A note is a slot and 1, and in the low bits which granule of the word it is of; 0 is none. The
 * younger note stands in the low half of the pair; slots that are too large for one are not noted.
 */
#ifndef ALLOCATORS_OSTEP_PLACES_H
#define ALLOCATORS_OSTEP_PLACES_H

/* Before the map: its words are those below. */
#define GRANULES_STRIDE(map) (sizeof(struct granules_word) + sizeof(uint64_t))
#include "allocators/granules.h"

enum { OSTEP_NOTE_LOG2 = GRANULES_WORD_LOG2 };

struct ostep_word {
    struct granules_word word;
    uint64_t notes;
};
_Static_assert(sizeof(struct ostep_word) == GRANULES_STRIDE(), "as the map takes them for");

FIT_INLINE uint64_t *ostep_notes(const struct granules *map, size_t position)
{
    return &((struct ostep_word *)(void *)granules_word_of(map, position))->notes;
}

FIT_INLINE bool ostep_notable(size_t slot)
{
    return slot + 1 < (size_t)1 << (32 - OSTEP_NOTE_LOG2);
}

FIT_INLINE uint32_t ostep_note_of(size_t position, size_t slot)
{
    return (uint32_t)((slot + 1) << OSTEP_NOTE_LOG2 | position % 64);
}

/* Whether a note is of the free block that begins there. */
FIT_INLINE bool ostep_note_is_of(uint32_t note, size_t position)
{
    return (note != 0) & ((note ^ (uint32_t)position) % 64 == 0);
}

FIT_INLINE size_t ostep_note_slot(uint32_t note)
{
    return (note >> OSTEP_NOTE_LOG2) - (size_t)1;
}

/* How far up in the pair the note of the block that begins there stands, if it has one: which of
 * the two it is, no processor can foretell. */
FIT_INLINE unsigned ostep_notes_shift(uint64_t notes, size_t position)
{
    return ostep_note_is_of((uint32_t)notes, position) ? 0 : 32;
}

/* The pair without the note that stands there. */
FIT_INLINE uint64_t ostep_notes_without(uint64_t notes, unsigned shift)
{
    return notes >> (32 - shift) & UINT32_MAX;
}

#endif
