/* Laying out the index by size, the search for a class's lowest block, and the tree of large sizes.
 */
#include "allocators/fit_best.h"

#include <stdbool.h>

static size_t fit_best_groups(size_t granules, unsigned pair)
{
    return (((granules - 1) >> pair) >> FIT_GROUP_LOG2) + 1;
}

static size_t fit_best_map_bytes(size_t last_group)
{
    return (last_group + 1) * FIT_GROUP;
}

/* Bytes of the nodes of a level whose last child is `last`. */
static size_t fit_best_level_bytes(size_t last)
{
    return ((last >> 6) + 1) * sizeof(struct fit_sizes);
}

static size_t fit_best_node_bytes(size_t last_group)
{
    return (last_group + 1) * sizeof(struct fit_node);
}

size_t fit_best_bytes(size_t granules, unsigned pair)
{
    size_t last = fit_best_groups(granules, pair) - 1;
    size_t bytes =
        fit_store_bytes(fit_best_map_bytes(last)) + fit_store_bytes(fit_best_node_bytes(last));
    for (;; last >>= 6) {
        bytes += fit_store_bytes(fit_best_level_bytes(last));
        if (last >> 6 == 0)
            return bytes;
    }
}

void fit_best_init(struct fit_best *index, size_t granules, unsigned pair, struct fit_store *store)
{
    *index = (struct fit_best){0};
    size_t last = fit_best_groups(granules, pair) - 1;
    index->map = (uint8_t *)fit_store_table(store, fit_best_map_bytes(last));
    index->node = (struct fit_node *)(void *)fit_store_table(store, fit_best_node_bytes(last));
    for (index->group_bits = 1; last >> index->group_bits; index->group_bits++)
        continue;
    index->floor = (uint32_t)fit_large(pair);
    for (unsigned level = 0; level < FIT_BEST_LEVELS; level++, last >>= 6) {
        char *table = fit_store_table(store, fit_best_level_bytes(last));
        index->level[level] = (struct fit_sizes *)(void *)table;
        if (last >> 6 == 0)
            break;
    }
}

/* One level more: its first node tells of what was the top until now. */
static void fit_best_grow(struct fit_best *index)
{
    const struct fit_sizes *below = index->level[index->height++];
    for (int size = 0; size < FIT_SIZES; size++)
        index->level[index->height]->may[size] = below->may[size] != 0;
}

int fit_best_reach(struct fit_best *index, size_t last, unsigned pair, struct fit_store *store)
{
    size_t group = last >> pair >> FIT_GROUP_LOG2, child = group;
    unsigned height = 0;
    int error = fit_store_reach(store, index->map, fit_best_map_bytes(group));
    if (!error)
        error = fit_store_reach(store, index->node, fit_best_node_bytes(group));
    for (; !error; height++, child >>= 6) {
        error = fit_store_reach(store, index->level[height], fit_best_level_bytes(child));
        if (child >> 6 == 0)
            break;
    }
    if (error)
        return error;
    while (index->height < height)
        fit_best_grow(index);
    index->last_group = group > index->last_group ? group : index->last_group;
    return 0;
}

size_t fit_best_seek(struct fit_best *index, size_t size, unsigned pair, unsigned level, size_t i)
{
    while (i <= index->last_group >> (6 * level)) {
        size_t node = i >> 6, place = i % 64;
        uint64_t *may = &index->level[level][node].may[size], bits = *may >> place << place;
        if (bits) {
            i = node * 64 + (size_t)__builtin_ctzll(bits);
            if (level-- > 0) {
                i <<= 6;
                continue;
            }
            level = 0;
            uint64_t mask = fit_match_class(index->map + i * FIT_GROUP, fit_want(size, pair));
            if (mask)
                return i * FIT_GROUP + (size_t)__builtin_ctzll(mask);
            *may &= ~((uint64_t)1 << i++ % 64);
            continue;
        }
        if (place == 0 && level < index->height)
            index->level[level + 1][node >> 6].may[size] &= ~((uint64_t)1 << node % 64);
        level++;
        i = node + 1;
    }
    return FIT_NONE;
}

/* Keys order large blocks by size, then by address. */
static uint64_t fit_best_key(const struct fit_best *index, uint64_t size, size_t group)
{
    return size << index->group_bits | group;
}

static uint64_t fit_best_key_of(const struct fit_best *index, uint32_t link)
{
    return fit_best_key(index, index->node[link - 1].size, link - 1);
}

static unsigned fit_best_root(uint64_t size)
{
    return 63 - (unsigned)__builtin_clzll(size);
}

/* The key's bits below its leading one, the next to branch on at the top. */
static uint64_t fit_best_path(uint64_t key)
{
    return key << __builtin_clzll(key) << 1;
}

static void fit_best_plant(struct fit_best *index, size_t group, size_t size)
{
    unsigned root = fit_best_root(size);
    uint64_t path = fit_best_path(fit_best_key(index, size, group));
    uint32_t *link = &index->root[root];
    for (; *link; path <<= 1)
        link = &index->node[*link - 1].child[path >> 63];
    *link = (uint32_t)group + 1;
    index->node[group] = (struct fit_node){.size = (uint32_t)size};
    index->roots |= (uint64_t)1 << root;
}

/* A node with children gives its place to any leaf below it. */
static void fit_best_unlink(struct fit_best *index, uint32_t *link)
{
    uint32_t *leaf = link, gone = *link;
    for (const uint32_t *child = index->node[gone - 1].child; child[0] || child[1];
         child = index->node[*leaf - 1].child)
        leaf = &index->node[*leaf - 1].child[child[0] == 0];
    uint32_t heir = *leaf;
    *leaf = 0;
    if (heir == gone)
        return;
    index->node[heir - 1].child[0] = index->node[gone - 1].child[0];
    index->node[heir - 1].child[1] = index->node[gone - 1].child[1];
    *link = heir;
}

static void fit_best_uproot(struct fit_best *index, size_t group, size_t size)
{
    unsigned root = fit_best_root(size);
    uint64_t path = fit_best_path(fit_best_key(index, size, group));
    uint32_t *link = &index->root[root];
    for (; *link != group + 1; path <<= 1)
        link = &index->node[*link - 1].child[path >> 63];
    fit_best_unlink(index, link);
    if (!index->root[root])
        index->roots &= ~((uint64_t)1 << root);
}

/* The smallest key under a link, or UINT64_MAX under none: all keys under the first child are below
 * all under the second; a node's own may be anywhere between. */
static uint64_t fit_best_least(const struct fit_best *index, uint32_t link)
{
    uint64_t least = UINT64_MAX;
    while (link) {
        uint64_t key = fit_best_key_of(index, link);
        least = key < least ? key : least;
        const uint32_t *child = index->node[link - 1].child;
        link = child[0] ? child[0] : child[1];
    }
    return least;
}

/* The smallest key not below `key` under the root of its leading bit, or UINT64_MAX. */
static uint64_t fit_best_least_from(const struct fit_best *index, uint32_t link, uint64_t key)
{
    uint64_t least = UINT64_MAX, path = fit_best_path(key);
    uint32_t after = 0; /* the nearest subtree with larger keys only */
    for (; link; path <<= 1) {
        uint64_t here = fit_best_key_of(index, link);
        if (here >= key && here < least)
            least = here;
        const uint32_t *child = index->node[link - 1].child;
        if (!(path >> 63) && child[1])
            after = child[1];
        link = child[path >> 63];
    }
    uint64_t larger = fit_best_least(index, after);
    return larger < least ? larger : least;
}

/* The smallest key in the tree that is at least the one of `size` and group 0, or UINT64_MAX. */
static uint64_t fit_best_find_key(const struct fit_best *index, size_t size)
{
    unsigned root = fit_best_root(size);
    uint64_t key = fit_best_least_from(index, index->root[root], fit_best_key(index, size, 0));
    uint64_t larger = index->roots >> root >> 1;
    if (key != UINT64_MAX || !larger)
        return key;
    return fit_best_least(index, index->root[root + 1 + (unsigned)__builtin_ctzll(larger)]);
}

static size_t fit_best_group(const struct fit_best *index, uint64_t key)
{
    return key & (((uint64_t)1 << index->group_bits) - 1);
}

/* ---- the smallest one stands outside the tree ------------------------------------------------ */

static bool fit_best_is_least(const struct fit_best *index, size_t group, size_t size)
{
    if (index->least_size == 0)
        return size < index->floor;
    return fit_best_key(index, size, group) <
           fit_best_key(index, index->least_size, index->least_group);
}

void fit_best_insert_large(struct fit_best *index, size_t group, size_t size)
{
    if (!fit_best_is_least(index, group, size)) {
        fit_best_plant(index, group, size);
        return;
    }
    if (index->least_size)
        fit_best_plant(index, index->least_group, index->least_size);
    index->least_group = (uint32_t)group;
    index->least_size = (uint32_t)size;
}

void fit_best_remove_large(struct fit_best *index, size_t group, size_t size)
{
    if (index->least_size == 0 || index->least_group != group) {
        fit_best_uproot(index, group, size);
        return;
    }
    index->floor = index->least_size;
    index->least_size = 0;
}

size_t fit_best_find_large(struct fit_best *index, size_t size)
{
    if (index->least_size >= size)
        return index->least_group;
    uint64_t key = fit_best_find_key(index, size);
    if (key == UINT64_MAX)
        return FIT_NONE;
    size_t group = fit_best_group(index, key);
    if (index->least_size == 0 && size <= index->floor) {
        index->least_size = index->node[group].size;
        index->least_group = (uint32_t)group;
        fit_best_uproot(index, group, index->least_size);
    }
    return group;
}
