/* first-fit: the free block with the lowest address among those that are large enough.
 *
 * 1. alloc takes the lowest end of the first sufficient free block in address order.
 * 2. free joins the block with its free neighbours at once (blocks.h has the rules in full).
 * 3. The search is fit_first.h's: maxima over a byte a possible block, O(log n) amortised.
 * Source: Knuth, The Art of Computer Programming 1, 2.5, algorithm A, with the list in address
 * order. Bound: Robson, "Worst case fragmentation of first fit and best fit storage allocation
 * strategies", 1977: about M log2 n for M bytes live in blocks of 1 … n. */
#include "allocators/blocks.h"
#include "allocators/fit_first.h"

struct first_fit {
    struct blocks blocks;
    struct fit_first index;
};

BLOCKS_INLINE size_t first_fit_find(struct blocks *blocks, size_t size)
{
    return fit_first_find(&((struct first_fit *)blocks)->index, size, BLOCKS_PAIR);
}

BLOCKS_INLINE void first_fit_insert(struct blocks *blocks, size_t position, size_t size,
                                    bool leftover)
{
    fit_first_insert(&((struct first_fit *)blocks)->index, position, size, leftover, BLOCKS_PAIR);
}

BLOCKS_INLINE void first_fit_remove(struct blocks *blocks, size_t position, size_t size)
{
    fit_first_remove(&((struct first_fit *)blocks)->index, position, size, BLOCKS_PAIR);
}

static int first_fit_reach(struct blocks *blocks, size_t last)
{
    return fit_first_reach(&((struct first_fit *)blocks)->index, last, BLOCKS_PAIR, &blocks->store);
}

static int first_fit_create(const struct heap_config *config, struct heap **out, struct err *err);

BLOCKS_ALLOCATOR(first_fit, "first-fit", "the lowest free block that is large enough", NULL);

static int first_fit_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    struct blocks *blocks;
    int error = blocks_create(config, &allocator_first_fit, sizeof(struct first_fit),
                              fit_first_bytes, &blocks, err);
    if (error)
        return error;
    struct fit_first *index = &((struct first_fit *)blocks)->index;
    fit_first_init(index, blocks->limit + 1, BLOCKS_PAIR, &blocks->store);
    blocks->map = fit_first_map(index);
    *out = &blocks->heap;
    return blocks_start(blocks, &first_fit_policy, err);
}
