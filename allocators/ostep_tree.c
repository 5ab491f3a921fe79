/* Free blocks by size; see the header. */
#include "allocators/ostep_tree.h"

static struct ostep_node *tree_node(const struct ostep_tree *tree, uint32_t link)
{
    return (struct ostep_node *)(void *)(tree->base + 16 * ((size_t)link - 1));
}

static uint64_t tree_key(const struct ostep_node *node)
{
    return (uint64_t)(uint32_t)node->size << 32 | node->slot;
}

static bool tree_above(uint32_t a, uint32_t b)
{
    return a * 0x9e3779b1u > b * 0x9e3779b1u;
}

/* Cuts the subtree at `at` into the keys below `key` and the others. */
static void tree_split(struct ostep_tree *tree, uint32_t at, uint64_t key, uint32_t *low,
                       uint32_t *high)
{
    while (at) {
        struct ostep_node *node = tree_node(tree, at);
        bool below = tree_key(node) < key;
        *(below ? low : high) = at;
        if (below)
            low = &node->child[1];
        else
            high = &node->child[0];
        at = node->child[below];
    }
    *low = *high = 0;
}

void ostep_tree_insert(struct ostep_tree *tree, size_t position)
{
    uint32_t at = (uint32_t)position + 1, *link = &tree->root;
    struct ostep_node *node = tree_node(tree, at);
    uint64_t key = tree_key(node);
    while (*link && !tree_above(at, *link)) {
        struct ostep_node *above = tree_node(tree, *link);
        link = &above->child[tree_key(above) < key];
    }
    uint32_t below = *link;
    *link = at;
    tree_split(tree, below, key, &node->child[0], &node->child[1]);
}

/* All keys of `low` are below those of `high`: *link becomes one tree of both. */
static void tree_join(struct ostep_tree *tree, uint32_t *link, uint32_t low, uint32_t high)
{
    while (low && high) {
        bool low_above = tree_above(low, high);
        *link = low_above ? low : high;
        link = &tree_node(tree, *link)->child[low_above];
        *(low_above ? &low : &high) = *link;
    }
    *link = low ? low : high;
}

/* The link to a block, or to where it would be. */
static uint32_t *tree_find(struct ostep_tree *tree, uint32_t at)
{
    uint64_t key = tree_key(tree_node(tree, at));
    uint32_t *link = &tree->root;
    while (*link && *link != at) {
        struct ostep_node *node = tree_node(tree, *link);
        link = &node->child[tree_key(node) < key];
    }
    return link;
}

void ostep_tree_remove(struct ostep_tree *tree, size_t position)
{
    uint32_t *link = tree_find(tree, (uint32_t)position + 1);
    const struct ostep_node *gone = tree_node(tree, *link);
    tree_join(tree, link, gone->child[0], gone->child[1]);
}

bool ostep_tree_has(const struct ostep_tree *tree, size_t position)
{
    struct ostep_tree copy = *tree;
    return *tree_find(&copy, (uint32_t)position + 1) == position + 1;
}

uint32_t ostep_tree_least(const struct ostep_tree *tree, int32_t size)
{
    uint32_t least = UINT32_MAX;
    for (uint32_t at = tree->root; at;) {
        const struct ostep_node *node = tree_node(tree, at);
        bool fits = node->size >= size;
        least = fits ? node->slot : least;
        at = node->child[!fits];
    }
    return least;
}
