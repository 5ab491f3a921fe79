/* worst-fit: the largest free block, the lowest address among equals.
 *
 * 1. alloc takes the lowest end of the largest free block, if that is large enough. The top, which
 *    would always be the largest, is taken only when it is not.
 * 2. free joins the block with its free neighbours at once (blocks.h has the rules in full).
 * 3. The search is fit_first.h's: the root of its trees of maxima tells the size, and the first
 *    block of that size is sought; O(log n) amortised.
 * Source: Wilson, Johnstone, Neely & Boles, "Dynamic storage allocation: a survey and critical
 * review", 1995. Bound: none better than M n for M bytes live in blocks of 1 … n. */
#include "allocators/blocks.h"
#include "allocators/fit_first.h"

struct worst_fit {
    struct blocks blocks;
    struct fit_first index;
};

BLOCKS_INLINE size_t worst_fit_find(struct blocks *blocks, size_t size)
{
    return fit_first_find_worst(&((struct worst_fit *)blocks)->index, size, BLOCKS_PAIR);
}

BLOCKS_INLINE void worst_fit_insert(struct blocks *blocks, size_t position, size_t size,
                                    bool leftover)
{
    fit_first_insert(&((struct worst_fit *)blocks)->index, position, size, leftover, BLOCKS_PAIR);
}

BLOCKS_INLINE void worst_fit_remove(struct blocks *blocks, size_t position, size_t size)
{
    fit_first_remove(&((struct worst_fit *)blocks)->index, position, size, BLOCKS_PAIR);
}

static int worst_fit_reach(struct blocks *blocks, size_t last)
{
    return fit_first_reach(&((struct worst_fit *)blocks)->index, last, BLOCKS_PAIR, &blocks->store);
}

static int worst_fit_create(const struct heap_config *config, struct heap **out, struct err *err);

BLOCKS_ALLOCATOR(worst_fit, "worst-fit", "the largest free block, the lowest of equals", NULL);

static int worst_fit_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    struct blocks *blocks;
    int error = blocks_create(config, &allocator_worst_fit, sizeof(struct worst_fit),
                              fit_first_bytes, &blocks, err);
    if (error)
        return error;
    struct fit_first *index = &((struct worst_fit *)blocks)->index;
    fit_first_init(index, blocks->limit + 1, BLOCKS_PAIR, &blocks->store);
    blocks->map = fit_first_map(index);
    *out = &blocks->heap;
    return blocks_start(blocks, &worst_fit_policy, err);
}
