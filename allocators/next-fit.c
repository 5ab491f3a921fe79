/* next-fit: the first sufficient free block from where the last search ended.
 *
 * 1. A rover is an address, at first the start. alloc takes the low end of the first sufficient
 *    free block, in address order, of those that begin at or after the rover; if there is none, of
 *    all; if there is none, the top. The rover moves to the end of the block so placed.
 * 2. free joins the block with its free neighbours at once (blocks.h has the rules in full). If the
 *    rover is inside the free block so made, it moves to that block's start.
 * 3. realloc in place moves the rover only by what it frees, as in 2.
 * 4. The search is fit_first.h's, from a place on; O(log n) amortised.
 * Source: Knuth, The Art of Computer Programming 1, 2.5, exercise 6 (the roving pointer). Bound: as
 * first fit's at best: Robson 1977. */
#include "allocators/blocks.h"
#include "allocators/fit_first.h"

struct next_fit {
    struct blocks blocks;
    struct fit_first index;
    size_t rover; /* a granule */
};

BLOCKS_INLINE size_t next_fit_find(struct blocks *blocks, size_t size)
{
    struct next_fit *heap = (struct next_fit *)blocks;
    size_t slot = fit_first_find_from(&heap->index, size, heap->rover, BLOCKS_PAIR);
    return slot != FIT_NONE ? slot : fit_first_find_from(&heap->index, size, 0, BLOCKS_PAIR);
}

BLOCKS_INLINE void next_fit_insert(struct blocks *blocks, size_t position, size_t size,
                                   bool leftover)
{
    struct next_fit *heap = (struct next_fit *)blocks;
    fit_first_insert(&heap->index, position, size, leftover, BLOCKS_PAIR);
    if (!leftover && heap->rover - position < size)
        heap->rover = position;
}

BLOCKS_INLINE void next_fit_remove(struct blocks *blocks, size_t position, size_t size)
{
    fit_first_remove(&((struct next_fit *)blocks)->index, position, size, BLOCKS_PAIR);
}

BLOCKS_INLINE void next_fit_placed(struct blocks *blocks, size_t end)
{
    ((struct next_fit *)blocks)->rover = end;
}

static int next_fit_reach(struct blocks *blocks, size_t last)
{
    return fit_first_reach(&((struct next_fit *)blocks)->index, last, BLOCKS_PAIR, &blocks->store);
}

static int next_fit_create(const struct heap_config *config, struct heap **out, struct err *err);

BLOCKS_ALLOCATOR(next_fit, "next-fit",
                 "the first free block that is large enough from the last one on", next_fit_placed);

static int next_fit_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    struct blocks *blocks;
    int error = blocks_create(config, &allocator_next_fit, sizeof(struct next_fit), fit_first_bytes,
                              &blocks, err);
    if (error)
        return error;
    struct fit_first *index = &((struct next_fit *)blocks)->index;
    fit_first_init(index, blocks->limit + 1, BLOCKS_PAIR, &blocks->store);
    blocks->map = fit_first_map(index);
    *out = &blocks->heap;
    return blocks_start(blocks, &next_fit_policy, err);
}
