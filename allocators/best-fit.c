/* best-fit: the smallest hole that is large enough, the lowest address among equals.
 *
 * 1. alloc takes the low end of the smallest sufficient hole, of equals the first in address order;
 *    the top counts as larger than any hole (or, with top=hole, as one).
 * 2. free joins the block with the holes beside it at once (fits.h has the rules in full).
 * 3. The search is sizes.h's: bitmaps over the map for each exact small size, a digital search tree
 *    for large ones; O(log n) amortised.
 * Source: Knuth, The Art of Computer Programming 1, 2.5. Bound: Robson, "Worst case fragmentation
 * of first fit and best fit storage allocation strategies", 1977: about M n for M bytes live in
 * blocks of 1 … n. */
#define FITS_OPTIONS best_fit_options
#include "allocators/fits.h"
#include "allocators/sizes.h"

enum best_fit_option { BEST_FIT_TOP, BEST_FIT_RETURN, BEST_FIT_OPTIONS };
enum best_fit_top { BEST_FIT_TOP_LAST, BEST_FIT_TOP_HOLE };

static const struct option_row best_fit_options[] = {
    [BEST_FIT_TOP] = {"top", OPTION_CHOICE, "last",
                      "the memory behind the last block is used last, or as a hole of its size",
                      "last|hole"},
    [BEST_FIT_RETURN] = {"return", OPTION_FLAG, "yes", "free memory goes back to the system", NULL},
    [BEST_FIT_OPTIONS] = {0},
};

struct best_fit {
    struct segments segments;
    bool top_is_hole;
    struct sizes sizes;
};

FIT_INLINE struct sizes *best_fit_sizes(struct segments *heap)
{
    return &((struct best_fit *)heap)->sizes;
}

/* Where the top is a hole like any other, it is taken when it is the smaller one. */
static bool best_fit_prefers_top(const struct segments *heap, size_t hole, size_t size)
{
    size_t top = heap->reached - heap->top;
    return top >= size && top < granules_size(&heap->map, hole);
}

FIT_INLINE size_t best_fit_find(struct segments *heap, size_t size)
{
    size_t hole = sizes_find(best_fit_sizes(heap), &heap->map, size);
    if (__builtin_expect(((struct best_fit *)heap)->top_is_hole, 0) && hole != FIT_NONE &&
        best_fit_prefers_top(heap, hole, size))
        return FIT_NONE;
    return hole;
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
    ((struct best_fit *)heap)->top_is_hole =
        config->values[BEST_FIT_TOP].number == BEST_FIT_TOP_HOLE;
    if (!config->values[BEST_FIT_RETURN].number)
        heap->gone = NULL;
    sizes_init(best_fit_sizes(heap), heap->limit + 64, &heap->store);
    *out = &heap->heap;
    return segments_start(heap, &best_fit_segments, err);
}
