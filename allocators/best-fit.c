/* best-fit: the smallest hole that is large enough, the lowest address among equals.
 *
 * 1. alloc takes the low end of the smallest sufficient hole, of equals the first in address order;
 *    the top counts as larger than any hole.
 * 2. free joins the block with the holes beside it at once (fits.h has the rules in full).
 * 3. The search is sizes.h's: bitmaps over the map for each exact small size, a digital search tree
 *    for large ones; O(log n) amortised.
 * Source: Knuth, The Art of Computer Programming 1, 2.5. Bound: Robson, "Worst case fragmentation
 * of first fit and best fit storage allocation strategies", 1977: about M n for M bytes live in
 * blocks of 1 … n. */
#include "allocators/fits.h"
#include "allocators/sizes.h"

struct best_fit {
    struct segments segments;
    struct sizes sizes;
};

FIT_INLINE struct sizes *best_fit_sizes(struct segments *heap)
{
    return &((struct best_fit *)heap)->sizes;
}

FIT_INLINE size_t best_fit_find(struct segments *heap, size_t size)
{
    return sizes_find(best_fit_sizes(heap), &heap->map, size);
}

FIT_INLINE void best_fit_insert(struct segments *heap, size_t position, size_t size, bool leftover)
{
    (void)leftover;
    sizes_insert(best_fit_sizes(heap), position, size);
}

FIT_INLINE void best_fit_remove(struct segments *heap, size_t position, size_t size)
{
    sizes_remove(best_fit_sizes(heap), position, size);
}

static int best_fit_reach(struct segments *heap, size_t last)
{
    return sizes_reach(best_fit_sizes(heap), last, &heap->store);
}

static void best_fit_retreat(struct segments *heap, size_t last)
{
    sizes_retreat(best_fit_sizes(heap), last, &heap->store);
}

static const char *best_fit_flaw(const struct segments *heap, size_t position)
{
    const struct sizes *sizes = &((const struct best_fit *)heap)->sizes;
    return sizes_knows(sizes, position, granules_size(&heap->map, position))
               ? NULL
               : "the index does not know of it";
}

static int best_fit_create(const struct heap_config *config, struct heap **out, struct err *err);

static const struct fit_policy best_fit_policy = {
    .find = best_fit_find,
    .insert = best_fit_insert,
    .remove = best_fit_remove,
};

FITS_ALLOCATOR(best_fit, "best-fit",
               "the smallest free block that is large enough, the lowest of equals", best_fit_reach,
               best_fit_retreat, best_fit_flaw);

static int best_fit_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    struct segments *heap;
    int error =
        fits_create(config, &allocator_best_fit, sizeof(struct best_fit), sizes_bytes, &heap, err);
    if (error)
        return error;
    sizes_init(best_fit_sizes(heap), heap->limit + 64, &heap->store);
    *out = &heap->heap;
    return segments_start(heap, &best_fit_segments, err);
}
