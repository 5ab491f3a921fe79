/* next-fit: the first sufficient hole from where the last search ended.
 *
 * 1. A rover is an address, at first the start. alloc takes the low end of the first sufficient
 *    hole, in address order, of those that begin at or after the rover; if there is none, of all;
 *    if there is none, the top. The rover moves to the end of the block so placed.
 * 2. free joins the block with the holes beside it at once (fits.h has the rules in full). If the
 *    rover is inside the hole so made, it moves to that hole's start.
 * 3. realloc in place moves the rover only by what it frees, as in 2.
 * 4. The search is holes.h's, from a place on; O(log n) amortised.
 * Source: Knuth, The Art of Computer Programming 1, 2.5, exercise 6 (the roving pointer). Bound: as
 * first fit's at best: Robson 1977. */
#include "allocators/fits_by_address.h"

FIT_INLINE size_t next_fit_find(struct segments *heap, size_t size)
{
    size_t rover = ((struct by_address *)heap)->rover;
    rover = rover < heap->top ? rover : heap->top;
    size_t position = holes_find_from(by_address_holes(heap), &heap->map, size, rover);
    return position != FIT_NONE ? position : holes_find(by_address_holes(heap), &heap->map, size);
}

FIT_INLINE void next_fit_insert(struct segments *heap, size_t position, size_t size, bool leftover)
{
    struct by_address *by_address = (struct by_address *)heap;
    by_address_insert(heap, position, size, leftover);
    if (!leftover && by_address->rover - position < size)
        by_address->rover = position;
}

static void next_fit_placed(struct segments *heap, size_t end)
{
    ((struct by_address *)heap)->rover = end;
}

static int next_fit_create(const struct heap_config *config, struct heap **out, struct err *err);

static const struct fit_policy next_fit_policy = {
    .find = next_fit_find,
    .insert = next_fit_insert,
    .remove = by_address_remove,
    .placed = next_fit_placed,
};

FITS_ALLOCATOR(next_fit, "next-fit",
               "the first free block that is large enough from the last one on", by_address_reach,
               by_address_retreat, by_address_flaw);

static int next_fit_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    return by_address_create(config, &allocator_next_fit, &next_fit_segments, out, err);
}
