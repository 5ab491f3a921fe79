/* first-fit: the hole with the lowest address among those that are large enough.
 *
 * 1. alloc takes the low end of the first sufficient hole in address order.
 * 2. free joins the block with the holes beside it at once (fits.h has the rules in full).
 * 3. The search is holes.h's: maxima over bounds a word of the map, O(log n) amortised.
 * Source: Knuth, The Art of Computer Programming 1, 2.5, algorithm A, with the list in address
 * order. Bound: Robson, "Worst case fragmentation of first fit and best fit storage allocation
 * strategies", 1977: about M log2 n for M bytes live in blocks of 1 … n. */
#include "allocators/fits_by_address.h"

FIT_INLINE size_t first_fit_find(struct segments *heap, size_t size)
{
    return holes_find(by_address_holes(heap), &heap->map, size);
}

static int first_fit_create(const struct heap_config *config, struct heap **out, struct err *err);

static const struct fit_policy first_fit_policy = {
    .find = first_fit_find,
    .insert = by_address_insert,
    .remove = by_address_remove,
};

FITS_ALLOCATOR(first_fit, "first-fit", "the lowest free block that is large enough",
               by_address_reach, by_address_retreat, by_address_flaw);

static int first_fit_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    return by_address_create(config, &allocator_first_fit, &first_fit_segments, out, err);
}
