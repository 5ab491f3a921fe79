/* The map of segments: where each begins, and whether it is used, with nothing in the memory
 * itself.
 *
 * Memory is counted in granules; segments tile it from granule 0 to the end, where a used one is
 * marked that stands for all that lies behind. For each word of 64 granules there are
 *   starts  a bit where a segment begins,
 *   used    a bit where a used one does,
 *   tail    the length of the last segment that begins in the word, if it ends in another one,
 *   lead    where the segment begins that reaches into the word from outside, if it ends in it:
 * so that the length of a segment and the start of the one before it are found in constant time.
 * 24 bytes a word; behind each a policy may have an entry of its own, which it then looks at
 * together with the rest. What is not said here about a word is left from earlier times.
 * The words behind the last one in use are readable (GRANULES_AHEAD). */
#ifndef ALLOCATORS_GRANULES_H
#define ALLOCATORS_GRANULES_H

#include <stdbool.h>

#include "allocators/fit_store.h"

/* Bytes from one word to the next: a constant, unless a file that is there for all policies says
 * otherwise before it includes this, as does a policy with entries of its own. */
#ifndef GRANULES_STRIDE
#define GRANULES_STRIDE(map) sizeof(struct granules_word)
#endif

enum { GRANULES_WORD_LOG2 = 6, GRANULES_AHEAD = 3 * 64 };

/* Together, so that one line of the cache tells of a place and of most that lie beside it. */
struct granules_word {
    uint64_t starts, used;
    uint32_t tail, lead;
};

struct granules {
    char *word;
    size_t stride; /* bytes from one to the next */
};

/* Bytes in a store for positions below `count`. */
size_t granules_bytes(size_t count, size_t stride);

/* An empty map for positions below `count`; `stride` is sizeof(struct granules_word) or more. */
void granules_init(struct granules *map, size_t count, size_t stride, struct fit_store *store);

/* Makes positions up to `last` usable: 0 or -ENOMEM. */
int granules_reach(struct granules *map, size_t last, struct fit_store *store);

/* Gives the memory for positions behind `last` back; nothing begins there. */
void granules_retreat(struct granules *map, size_t last, struct fit_store *store);

FIT_INLINE struct granules_word *granules_word(const struct granules *map, size_t word)
{
    return (struct granules_word *)(void *)(map->word + word * GRANULES_STRIDE(map));
}

FIT_INLINE struct granules_word *granules_word_of(const struct granules *map, size_t position)
{
    return granules_word(map, position / 64);
}

FIT_INLINE uint64_t granules_bit(size_t position)
{
    return (uint64_t)1 << position % 64;
}

FIT_INLINE bool granules_is_start(const struct granules *map, size_t position)
{
    return granules_word_of(map, position)->starts >> position % 64 & 1;
}

/* Of a position where a segment begins. */
FIT_INLINE bool granules_is_used(const struct granules *map, size_t position)
{
    return granules_word_of(map, position)->used >> position % 64 & 1;
}

FIT_INLINE void granules_use(struct granules *map, size_t position)
{
    granules_word_of(map, position)->used |= granules_bit(position);
}

FIT_INLINE void granules_unuse(struct granules *map, size_t position)
{
    granules_word_of(map, position)->used &= ~granules_bit(position);
}

/* Length of the segment that begins at `position`. */
FIT_INLINE size_t granules_size(const struct granules *map, size_t position)
{
    uint64_t later = granules_word_of(map, position)->starts >> position % 64 >> 1;
    return later ? (size_t)__builtin_ctzll(later) + 1 : granules_word_of(map, position)->tail;
}

/* Where the segment before the one at `position` begins; `position` itself if that is 0. */
FIT_INLINE size_t granules_before(const struct granules *map, size_t position)
{
    uint64_t earlier = granules_word_of(map, position)->starts & (granules_bit(position) - 1);
    if (earlier)
        return (position & ~(size_t)63) + 63 - (size_t)__builtin_clzll(earlier);
    return granules_word_of(map, position)->lead;
}

/* A segment of `size` begins at `position`, and another one, or the end, behind it. */
FIT_INLINE void granules_put(struct granules *map, size_t position, size_t size)
{
    size_t word = position / 64, end = (position + size) / 64;
    granules_word(map, word)->starts |= granules_bit(position);
    if (end != word) {
        granules_word(map, word)->tail = (uint32_t)size;
        granules_word(map, end)->lead = (uint32_t)position;
    }
}

/* What begins at `position` belongs to the segment before it from now on, which is put next. */
FIT_INLINE void granules_join(struct granules *map, size_t position)
{
    granules_word_of(map, position)->starts &= ~granules_bit(position);
}

/* Everything ends at `position`: as if a used segment began there. */
FIT_INLINE void granules_end(struct granules *map, size_t position)
{
    granules_word_of(map, position)->starts |= granules_bit(position);
    granules_word_of(map, position)->used |= granules_bit(position);
}

/* A bit where a hole begins. */
FIT_INLINE uint64_t granules_holes(const struct granules *map, size_t word)
{
    return granules_word(map, word)->starts & ~granules_word(map, word)->used;
}

/* The first hole of at least `size` that begins in `word`, or FIT_NONE and the largest of them. */
FIT_INLINE size_t granules_hole_in(const struct granules *map, size_t word, size_t size,
                                   size_t *largest)
{
    uint64_t holes = granules_holes(map, word);
    *largest = 0;
    for (; holes; holes &= holes - 1) {
        size_t position = word * 64 + (size_t)__builtin_ctzll(holes);
        size_t has = granules_size(map, position);
        if (has >= size)
            return position;
        *largest = has > *largest ? has : *largest;
    }
    return FIT_NONE;
}

#endif
