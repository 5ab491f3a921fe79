/* Laying out the index by size, the search for a size's lowest hole, and the tree of large sizes.
 */
#include "allocators/sizes.h"

#include <stdbool.h>

static size_t sizes_groups(size_t count)
{
    return ((count - 1) >> SIZES_GROUP_LOG2) + 1;
}

/* Bytes of the nodes of a level whose last child is `last`. */
static size_t sizes_level_bytes(size_t last)
{
    return ((last >> 6) + 1) * sizeof(struct sizes_node);
}

static size_t sizes_large_bytes(size_t last_group)
{
    return (last_group + 1) * sizeof(struct sizes_large);
}

size_t sizes_bytes(size_t count)
{
    size_t last = sizes_groups(count) - 1, bytes = fit_store_bytes(sizes_large_bytes(last));
    for (;; last >>= 6) {
        bytes += fit_store_bytes(sizes_level_bytes(last));
        if (last >> 6 == 0)
            return bytes;
    }
}

void sizes_init(struct sizes *index, size_t count, struct fit_store *store)
{
    *index = (struct sizes){.floor = SIZES_SMALL};
    size_t last = sizes_groups(count) - 1;
    index->node = (struct sizes_large *)(void *)fit_store_table(store, sizes_large_bytes(last));
    fit_store_describe(store, index->node, sizeof *index->node, SIZES_GROUP_LOG2);
    for (index->group_bits = 1; last >> index->group_bits; index->group_bits++)
        continue;
    for (unsigned level = 0; level < SIZES_LEVELS; level++, last >>= 6) {
        char *table = fit_store_table(store, sizes_level_bytes(last));
        index->level[level] = (struct sizes_node *)(void *)table;
        if (last >> 6 == 0)
            break;
    }
    fit_store_describe(store, index->level[0], sizeof(struct sizes_node), SIZES_GROUP_LOG2 + 6);
}

/* One level more: its first node tells of what was the top until now. */
static void sizes_grow(struct sizes *index)
{
    const struct sizes_node *below = index->level[index->height++];
    for (int size = 0; size < SIZES_SMALL; size++)
        index->level[index->height]->may[size] = below->may[size] != 0;
}

int sizes_reach(struct sizes *index, size_t last, struct fit_store *store)
{
    size_t group = last >> SIZES_GROUP_LOG2, child = group;
    unsigned height = 0;
    int error = fit_store_reach(store, index->node, sizes_large_bytes(group));
    for (; !error; height++, child >>= 6) {
        error = fit_store_reach(store, index->level[height], sizes_level_bytes(child));
        if (child >> 6 == 0)
            break;
    }
    if (error)
        return error;
    while (index->height < height)
        sizes_grow(index);
    index->last_group = group > index->last_group ? group : index->last_group;
    return 0;
}

/* Nothing is under children behind `last` any more. */
static void sizes_mask(struct sizes_node *node, size_t last)
{
    for (size_t size = 0; size < SIZES_SMALL; size++)
        node->may[size] &= UINT64_MAX >> (63 - last % 64);
}

void sizes_retreat(struct sizes *index, size_t last, struct fit_store *store)
{
    size_t group = last >> SIZES_GROUP_LOG2, child = group;
    fit_store_retreat(store, index->node, sizes_large_bytes(group));
    for (unsigned level = 0; level <= index->height; level++, child >>= 6) {
        fit_store_retreat(store, index->level[level], sizes_level_bytes(child));
        sizes_mask(&index->level[level][child >> 6], child);
    }
    index->last_group = group;
}

size_t sizes_seek(struct sizes *index, const struct granules *map, size_t size, unsigned level,
                  size_t i)
{
    while (i <= index->last_group >> (6 * level)) {
        size_t node = i >> 6, place = i % 64;
        uint64_t *may = &index->level[level][node].may[size], bits = *may >> place << place;
        if (bits) {
            i = node * 64 + (size_t)__builtin_ctzll(bits);
            if (level > 0) {
                level--;
                i <<= 6;
                continue;
            }
            size_t position = sizes_hole_in(map, i, size);
            if (position != FIT_NONE)
                return position;
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

/* Keys order large holes by size, then by address. */
static uint64_t sizes_key(const struct sizes *index, uint64_t size, size_t group)
{
    return size << index->group_bits | group;
}

static uint64_t sizes_key_of(const struct sizes *index, uint32_t link)
{
    return sizes_key(index, index->node[link - 1].size, link - 1);
}

static unsigned sizes_root(uint64_t size)
{
    return 63 - (unsigned)__builtin_clzll(size);
}

/* The key's bits below its leading one, the next to branch on at the top. */
static uint64_t sizes_path(uint64_t key)
{
    return key << __builtin_clzll(key) << 1;
}

static void sizes_plant(struct sizes *index, size_t group, size_t size)
{
    unsigned root = sizes_root(size);
    uint64_t path = sizes_path(sizes_key(index, size, group));
    uint32_t *link = &index->root[root];
    for (; *link; path <<= 1)
        link = &index->node[*link - 1].child[path >> 63];
    *link = (uint32_t)group + 1;
    index->node[group] = (struct sizes_large){.size = (uint32_t)size};
    index->roots |= (uint64_t)1 << root;
}

/* A node with children gives its place to any leaf below it. */
static void sizes_unlink(struct sizes *index, uint32_t *link)
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

static void sizes_uproot(struct sizes *index, size_t group, size_t size)
{
    unsigned root = sizes_root(size);
    uint64_t path = sizes_path(sizes_key(index, size, group));
    uint32_t *link = &index->root[root];
    for (; *link != group + 1; path <<= 1)
        link = &index->node[*link - 1].child[path >> 63];
    sizes_unlink(index, link);
    if (!index->root[root])
        index->roots &= ~((uint64_t)1 << root);
}

/* The smallest key under a link, or UINT64_MAX under none: all keys under the first child are below
 * all under the second; a node's own may be anywhere between. */
static uint64_t sizes_least(const struct sizes *index, uint32_t link)
{
    uint64_t least = UINT64_MAX;
    while (link) {
        uint64_t key = sizes_key_of(index, link);
        least = key < least ? key : least;
        const uint32_t *child = index->node[link - 1].child;
        link = child[0] ? child[0] : child[1];
    }
    return least;
}

/* The smallest key not below `key` under the root of its leading bit, or UINT64_MAX. */
static uint64_t sizes_least_from(const struct sizes *index, uint32_t link, uint64_t key)
{
    uint64_t least = UINT64_MAX, path = sizes_path(key);
    uint32_t after = 0; /* the nearest subtree with larger keys only */
    for (; link; path <<= 1) {
        uint64_t here = sizes_key_of(index, link);
        if (here >= key && here < least)
            least = here;
        const uint32_t *child = index->node[link - 1].child;
        if (!(path >> 63) && child[1])
            after = child[1];
        link = child[path >> 63];
    }
    uint64_t larger = sizes_least(index, after);
    return larger < least ? larger : least;
}

/* The smallest key in the tree that is at least the one of `size` and group 0, or UINT64_MAX. */
static uint64_t sizes_find_key(const struct sizes *index, size_t size)
{
    unsigned root = sizes_root(size);
    uint64_t key = sizes_least_from(index, index->root[root], sizes_key(index, size, 0));
    uint64_t larger = index->roots >> root >> 1;
    if (key != UINT64_MAX || !larger)
        return key;
    return sizes_least(index, index->root[root + 1 + (unsigned)__builtin_ctzll(larger)]);
}

static size_t sizes_group(const struct sizes *index, uint64_t key)
{
    return key & (((uint64_t)1 << index->group_bits) - 1);
}

/* ---- the smallest one stands outside the tree ------------------------------------------------ */

static bool sizes_is_least(const struct sizes *index, size_t group, size_t size)
{
    if (index->least_size == 0)
        return size < index->floor;
    return sizes_key(index, size, group) < sizes_key(index, index->least_size, index->least_group);
}

void sizes_insert_large(struct sizes *index, size_t group, size_t size)
{
    if (!sizes_is_least(index, group, size)) {
        sizes_plant(index, group, size);
        return;
    }
    if (index->least_size)
        sizes_plant(index, index->least_group, index->least_size);
    index->least_group = (uint32_t)group;
    index->least_size = (uint32_t)size;
}

void sizes_remove_large(struct sizes *index, size_t group, size_t size)
{
    if (index->least_size == 0 || index->least_group != group) {
        sizes_uproot(index, group, size);
        return;
    }
    index->floor = index->least_size;
    index->least_size = 0;
}

/* The large hole that begins in a group is the last segment that does. */
static size_t sizes_large_in(const struct granules *map, size_t group)
{
    size_t word = 2 * group + (granules_word(map, 2 * group + 1)->starts != 0);
    return word * 64 + 63 - (size_t)__builtin_clzll(granules_word(map, word)->starts);
}

size_t sizes_find_large(struct sizes *index, const struct granules *map, size_t size)
{
    if (index->least_size >= size)
        return sizes_large_in(map, index->least_group);
    uint64_t key = sizes_find_key(index, size);
    if (key == UINT64_MAX)
        return FIT_NONE;
    size_t group = sizes_group(index, key);
    if (index->least_size == 0 && size <= index->floor) {
        index->least_size = index->node[group].size;
        index->least_group = (uint32_t)group;
        sizes_uproot(index, group, index->least_size);
    }
    return sizes_large_in(map, group);
}

/* ---- checking -------------------------------------------------------------------------------- */

bool sizes_knows(const struct sizes *index, size_t position, size_t size)
{
    size_t group = position >> SIZES_GROUP_LOG2;
    if (size >= SIZES_SMALL)
        return index->least_size && index->least_group == group ? index->least_size == size
                                                                : index->node[group].size == size;
    return index->count[size] > 0 && index->lowest[size] <= position &&
           index->some[size / 64] >> size % 64 & 1 &&
           index->level[0][group >> 6].may[size] >> group % 64 & 1;
}
