/* The holes of a map of segments by address: the first that fits, from any place on, and the
 * largest.
 *
 * One 32-bit number a word of the map bounds the holes that begin in it, and a tree of maxima
 * (fit_tree.h) the words. A hole that is used leaves its bound behind; a search that finds the word
 * without what its bound promised corrects it, which is paid for by that use. For sizes up to 32
 * granules, and then for each power of two, a hint says below which word no hole of that size or a
 * larger one begins: hints never fall with size.
 * O(log n) a call, amortised, whatever the calls. */
#ifndef ALLOCATORS_HOLES_H
#define ALLOCATORS_HOLES_H

#include "allocators/fit_tree.h"
#include "allocators/granules.h"

enum { HOLES_HINTS = 59 };

struct holes {
    struct fit_tree tree;
    uint32_t hint[HOLES_HINTS]; /* words */
};

/* Bytes in a store for positions below `count`. */
size_t holes_bytes(size_t count);

/* An empty index for positions below `count`. */
void holes_init(struct holes *holes, size_t count, struct fit_store *store);

/* Makes positions up to `last` usable: 0 or -ENOMEM. */
int holes_reach(struct holes *holes, size_t last, struct fit_store *store);

/* Gives the memory for positions behind `last` back; no hole is there. */
void holes_retreat(struct holes *holes, size_t last, struct fit_store *store);

/* The largest hole, the first among equals, if it has `size` or more; else FIT_NONE. */
size_t holes_find_worst(struct holes *holes, const struct granules *map, size_t size);

/* The first hole of at least `size` that begins at or behind `from`, or FIT_NONE. */
size_t holes_find_from(struct holes *holes, const struct granules *map, size_t size, size_t from);

/* The last hint of a size not above `size`, and the first of one not below it. */
FIT_INLINE size_t holes_hint_below(size_t size)
{
    return size <= 32 ? size : 27 + 63 - (size_t)__builtin_clzll(size);
}

FIT_INLINE size_t holes_hint_above(size_t size)
{
    return size <= 32 ? size : holes_hint_below(size - 1) + 1;
}

FIT_INLINE uint32_t *holes_bound(struct holes *holes, size_t word)
{
    return holes->tree.level[0] + word;
}

/* There is a hole at `position` in the map. `leftover`: what is left of one whose front was taken;
 * then no hint needs to fall. */
FIT_INLINE void holes_insert(struct holes *holes, size_t position, size_t size, bool leftover)
{
    size_t word = position / 64;
    if (*holes_bound(holes, word) < size) {
        *holes_bound(holes, word) = (uint32_t)size;
        fit_tree_raise(&holes->tree, word, (uint32_t)size);
    }
    if (leftover)
        return;
    size_t hint = holes_hint_below(size);
    for (; holes->hint[hint] > word; hint--)
        holes->hint[hint] = (uint32_t)word;
}

FIT_INLINE void holes_raise_hints(struct holes *holes, size_t size, size_t word)
{
    for (size_t hint = holes_hint_above(size); hint < HOLES_HINTS && holes->hint[hint] < word;
         hint++)
        holes->hint[hint] = (uint32_t)word;
}

/* From `word` on; *word becomes that of the hole. */
FIT_INLINE size_t holes_seek(struct holes *holes, const struct granules *map, size_t size,
                             size_t *word)
{
    for (;; ++*word) {
        *word = fit_tree_seek(&holes->tree, 0, *word, (uint32_t)size);
        if (*word == FIT_NONE)
            return FIT_NONE;
        size_t largest, position = granules_hole_in(map, *word, size, &largest);
        if (__builtin_expect(position != FIT_NONE, 1))
            return position;
        *holes_bound(holes, *word) = (uint32_t)largest;
    }
}

/* The first hole of at least `size` > 0, or FIT_NONE; mostly it is where the hint says. */
FIT_INLINE size_t holes_find(struct holes *holes, const struct granules *map, size_t size)
{
    size_t word = holes->hint[holes_hint_below(size)], largest, position;
    if (word <= holes->tree.last && *holes_bound(holes, word) >= size) {
        position = granules_hole_in(map, word, size, &largest);
        if (__builtin_expect(position != FIT_NONE, 1))
            return position;
        *holes_bound(holes, word) = (uint32_t)largest;
    }
    word++;
    position = holes_seek(holes, map, size, &word);
    holes_raise_hints(holes, size, position == FIT_NONE ? holes->tree.last + 1 : word);
    return position;
}

#endif
