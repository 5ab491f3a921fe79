/* worst-fit: the largest hole, the lowest address among equals.
 *
 * 1. alloc takes the low end of the largest hole, if that is large enough. The top, which would
 *    always be the largest, is taken only when it is not.
 * 2. free joins the block with the holes beside it at once (fits.h has the rules in full).
 * 3. The search is holes.h's: the root of its tree bounds the size, and the first hole of that size
 *    is sought; O(log n) amortised.
 * Source: Wilson, Johnstone, Neely & Boles, "Dynamic storage allocation: a survey and critical
 * review", 1995. Bound: none better than M n for M bytes live in blocks of 1 … n. */
#include "allocators/fits_by_address.h"

FIT_INLINE size_t worst_fit_find(struct segments *heap, size_t size)
{
    return holes_find_worst(by_address_holes(heap), &heap->map, size);
}

static int worst_fit_create(const struct heap_config *config, struct heap **out, struct err *err);

static const struct fit_policy worst_fit_policy = {
    .find = worst_fit_find,
    .insert = by_address_insert,
    .remove = by_address_remove,
};

FITS_ALLOCATOR(worst_fit, "worst-fit", "the largest free block, the lowest of equals",
               by_address_reach, by_address_retreat, by_address_flaw);

static int worst_fit_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    return by_address_create(config, &allocator_worst_fit, &worst_fit_segments, out, err);
}
