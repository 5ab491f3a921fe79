/* An ordered set of keys; see the header. */
#include "allocators/key_tree.h"

#include <stdbool.h>

size_t key_tree_bytes(size_t count)
{
    return fit_store_bytes((count + 1) * sizeof(struct key_node));
}

void key_tree_init(struct key_tree *tree, size_t count, struct fit_store *store)
{
    *tree = (struct key_tree){.count = 1};
    tree->node =
        (struct key_node *)(void *)fit_store_table(store, (count + 1) * sizeof(struct key_node));
}

int key_tree_reach(struct key_tree *tree, size_t count, struct fit_store *store)
{
    return fit_store_reach(store, tree->node, (count + 1) * sizeof(struct key_node));
}

static bool key_above(uint64_t a, uint64_t b)
{
    return a * 0x9e3779b97f4a7c15u > b * 0x9e3779b97f4a7c15u;
}

/* Cuts the subtree at *link into the keys below `key` and the others. */
static void key_tree_split(struct key_tree *tree, uint32_t at, uint64_t key, uint32_t *low,
                           uint32_t *high)
{
    while (at) {
        struct key_node *node = &tree->node[at];
        bool below = node->key < key;
        *(below ? low : high) = at;
        if (below)
            low = &node->child[1];
        else
            high = &node->child[0];
        at = node->child[below];
    }
    *low = *high = 0;
}

void key_tree_insert(struct key_tree *tree, uint64_t key)
{
    uint32_t at = tree->spare;
    if (at)
        tree->spare = tree->node[at].child[0];
    else
        at = tree->count++;
    uint32_t *link = &tree->root;
    while (*link && !key_above(key, tree->node[*link].key))
        link = &tree->node[*link].child[tree->node[*link].key < key];
    uint32_t below = *link;
    *link = at;
    tree->node[at].key = key;
    key_tree_split(tree, below, key, &tree->node[at].child[0], &tree->node[at].child[1]);
}

/* All keys of `low` are below those of `high`: *link becomes one tree of both. */
static void key_tree_join(struct key_tree *tree, uint32_t *link, uint32_t low, uint32_t high)
{
    while (low && high) {
        bool low_above = key_above(tree->node[low].key, tree->node[high].key);
        *link = low_above ? low : high;
        link = &tree->node[*link].child[low_above];
        *(low_above ? &low : &high) = *link;
    }
    *link = low ? low : high;
}

void key_tree_remove(struct key_tree *tree, uint64_t key)
{
    uint32_t *link = &tree->root;
    while (tree->node[*link].key != key)
        link = &tree->node[*link].child[tree->node[*link].key < key];
    uint32_t gone = *link;
    key_tree_join(tree, link, tree->node[gone].child[0], tree->node[gone].child[1]);
    tree->node[gone].child[0] = tree->spare;
    tree->spare = gone;
}

uint64_t key_tree_least_from(const struct key_tree *tree, uint64_t key)
{
    uint64_t least = KEY_NONE;
    for (uint32_t at = tree->root; at;) {
        const struct key_node *node = &tree->node[at];
        if (node->key >= key)
            least = node->key;
        at = node->child[node->key < key];
    }
    return least;
}
