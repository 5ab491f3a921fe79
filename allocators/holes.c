/* The index of holes by address: what is not inlined. */
#include "allocators/holes.h"

static size_t holes_words(size_t count)
{
    return ((count - 1) >> GRANULES_WORD_LOG2) + 1;
}

size_t holes_bytes(size_t count)
{
    return fit_tree_bytes(holes_words(count));
}

void holes_init(struct holes *holes, size_t count, struct fit_store *store)
{
    *holes = (struct holes){0};
    fit_tree_init(&holes->tree, holes_words(count), store);
    fit_store_describe(store, holes->tree.level[0], sizeof(uint32_t), GRANULES_WORD_LOG2);
}

int holes_reach(struct holes *holes, size_t last, struct fit_store *store)
{
    return fit_tree_reach(&holes->tree, last >> GRANULES_WORD_LOG2, store);
}

void holes_retreat(struct holes *holes, size_t last, struct fit_store *store)
{
    fit_tree_retreat(&holes->tree, last >> GRANULES_WORD_LOG2, store);
}

size_t holes_find_from(struct holes *holes, const struct granules *map, size_t size, size_t from)
{
    size_t word = from / 64;
    uint64_t mask = granules_holes(map, word) & ~(granules_bit(from) - 1);
    for (; mask; mask &= mask - 1) {
        size_t position = word * 64 + (size_t)__builtin_ctzll(mask);
        if (granules_size(map, position) >= size)
            return position;
    }
    word++;
    return holes_seek(holes, map, size, &word);
}

/* Bounds are corrected until the largest one is true, that of the tree's root first. */
size_t holes_find_worst(struct holes *holes, const struct granules *map, size_t size)
{
    struct fit_tree *tree = &holes->tree;
    for (;;) {
        uint32_t most = fit_tree_group_max(tree, tree->height, 0);
        if (most < size)
            return FIT_NONE;
        size_t word = fit_tree_first(tree, most), largest;
        if (word == FIT_NONE)
            continue;
        size_t position = granules_hole_in(map, word, most, &largest);
        if (position != FIT_NONE)
            return position;
        *holes_bound(holes, word) = (uint32_t)largest;
    }
}
