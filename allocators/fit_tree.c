/* Laying out and growing trees of maxima. */
#include "allocators/fit_tree.h"

static size_t fit_tree_element(bool wide)
{
    return wide ? sizeof(uint32_t) : sizeof(uint8_t);
}

/* Bytes of the whole groups that hold elements 0 … last. */
static size_t fit_tree_level_bytes(bool wide, size_t last)
{
    unsigned fan = fit_tree_fan_log2(wide);
    return ((last >> fan) + 1) * fit_tree_element(wide) << fan;
}

size_t fit_tree_bytes(bool wide, size_t count)
{
    size_t bytes = 0;
    for (size_t last = count - 1;; last >>= fit_tree_fan_log2(wide)) {
        bytes += fit_store_bytes(fit_tree_level_bytes(wide, last));
        if (last >> fit_tree_fan_log2(wide) == 0)
            return bytes;
    }
}

void fit_tree_init(struct fit_tree *tree, bool wide, size_t count, struct fit_store *store)
{
    *tree = (struct fit_tree){0};
    size_t last = count - 1;
    for (unsigned level = 0; level < FIT_LEVELS; level++) {
        tree->level[level] = fit_store_table(store, fit_tree_level_bytes(wide, last));
        last >>= fit_tree_fan_log2(wide);
        if (last == 0)
            break;
    }
}

int fit_tree_reach(struct fit_tree *tree, bool wide, size_t last, struct fit_store *store)
{
    unsigned fan = fit_tree_fan_log2(wide), height = 0;
    for (;; height++) {
        size_t bytes = fit_tree_level_bytes(wide, last >> (fan * height));
        int error = fit_store_reach(store, tree->level[height], bytes);
        if (error)
            return error;
        if (last >> (fan * (height + 1)) == 0)
            break;
    }
    while (tree->height < height) {
        fit_tree_put(tree, wide, tree->height + 1, 0,
                     fit_tree_group_max(tree, wide, tree->height, 0));
        tree->height++;
    }
    tree->last = last > tree->last ? last : tree->last;
    return 0;
}
