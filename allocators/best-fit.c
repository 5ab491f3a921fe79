/* best-fit: the smallest free block that is large enough, the lowest address among equals.
 *
 * 1. alloc takes the lowest end of the smallest sufficient free block, of equals the first in
 *    address order; the top counts as larger than any block.
 * 2. free joins the block with its free neighbours at once (blocks.h has the rules in full).
 * 3. The search is fit_best.h's: bitmaps over the byte map for each exact small size, a digital
 *    search tree for large ones; O(log n) amortised.
 * Source: Knuth, The Art of Computer Programming 1, 2.5. Bound: Robson, "Worst case fragmentation
 * of first fit and best fit storage allocation strategies", 1977: about M n for M bytes live in
 * blocks of 1 … n. */
#include "allocators/blocks.h"
#include "allocators/fit_best.h"

struct best_fit {
    struct blocks blocks;
    struct fit_best index;
};

BLOCKS_INLINE size_t best_fit_find(struct blocks *blocks, size_t size)
{
    return fit_best_find(&((struct best_fit *)blocks)->index, size, BLOCKS_PAIR);
}

BLOCKS_INLINE void best_fit_insert(struct blocks *blocks, size_t position, size_t size,
                                   bool leftover)
{
    (void)leftover;
    fit_best_insert(&((struct best_fit *)blocks)->index, position, size, BLOCKS_PAIR);
}

BLOCKS_INLINE void best_fit_remove(struct blocks *blocks, size_t position, size_t size)
{
    fit_best_remove(&((struct best_fit *)blocks)->index, position, size, BLOCKS_PAIR);
}

static int best_fit_reach(struct blocks *blocks, size_t last)
{
    return fit_best_reach(&((struct best_fit *)blocks)->index, last, BLOCKS_PAIR, &blocks->store);
}

static int best_fit_create(const struct heap_config *config, struct heap **out, struct err *err);

BLOCKS_ALLOCATOR(best_fit, "best-fit",
                 "the smallest free block that is large enough, the lowest of equals", NULL);

static int best_fit_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    struct blocks *blocks;
    int error = blocks_create(config, &allocator_best_fit, sizeof(struct best_fit), fit_best_bytes,
                              &blocks, err);
    if (error)
        return error;
    struct fit_best *index = &((struct best_fit *)blocks)->index;
    fit_best_init(index, blocks->limit + 1, BLOCKS_PAIR, &blocks->store);
    blocks->map = index->map;
    *out = &blocks->heap;
    return blocks_start(blocks, &best_fit_policy, err);
}
