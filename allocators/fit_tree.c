/* Laying out and growing trees of maxima. */
#include "allocators/fit_tree.h"

/* Bytes of the whole groups that hold elements 0 … last. */
static size_t fit_tree_level_bytes(size_t last)
{
    return ((last >> FIT_GROUP_LOG2) + 1) * sizeof(uint32_t) << FIT_GROUP_LOG2;
}

size_t fit_tree_bytes(size_t count)
{
    size_t bytes = 0;
    for (size_t last = count - 1;; last >>= FIT_GROUP_LOG2) {
        bytes += fit_store_bytes(fit_tree_level_bytes(last));
        if (last >> FIT_GROUP_LOG2 == 0)
            return bytes;
    }
}

void fit_tree_init(struct fit_tree *tree, size_t count, struct fit_store *store)
{
    *tree = (struct fit_tree){0};
    size_t last = count - 1;
    for (unsigned level = 0; level < FIT_LEVELS; level++) {
        tree->level[level] = (uint32_t *)(void *)fit_store_table(store, fit_tree_level_bytes(last));
        last >>= FIT_GROUP_LOG2;
        if (last == 0)
            break;
    }
}

int fit_tree_reach(struct fit_tree *tree, size_t last, struct fit_store *store)
{
    unsigned height = 0;
    for (;; height++) {
        size_t bytes = fit_tree_level_bytes(last >> (FIT_GROUP_LOG2 * height));
        int error = fit_store_reach(store, tree->level[height], bytes);
        if (error)
            return error;
        if (last >> (FIT_GROUP_LOG2 * (height + 1)) == 0)
            break;
    }
    while (tree->height < height) {
        tree->level[tree->height + 1][0] = fit_tree_group_max(tree, tree->height, 0);
        tree->height++;
    }
    tree->last = last > tree->last ? last : tree->last;
    return 0;
}

void fit_tree_retreat(struct fit_tree *tree, size_t last, struct fit_store *store)
{
    for (unsigned level = 0; level <= tree->height; level++) {
        size_t bytes = ((last >> (FIT_GROUP_LOG2 * level)) + 1) * sizeof(uint32_t);
        fit_store_retreat(store, tree->level[level], bytes);
    }
    tree->last = last;
}
