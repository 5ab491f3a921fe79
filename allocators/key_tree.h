/* An ordered set of 64-bit keys: the least one from a number on, for best fit.
 *
 * A treap (Seidel and Aragon, Randomized Search Trees, 1996) whose priorities are a hash of the
 * keys. A key is a size above a place: (size << 32) | place. 16 bytes a key, out of band. */
#ifndef ALLOCATORS_KEY_TREE_H
#define ALLOCATORS_KEY_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "allocators/fit_store.h"

#define KEY_NONE UINT64_MAX

struct key_node {
    uint64_t key;
    uint32_t child[2]; /* 0: none; of a spare node: the next one */
};

struct key_tree {
    struct key_node *node; /* [0] is not used */
    uint32_t root, spare, count;
};

static inline uint64_t key_of(size_t size, size_t place)
{
    return (uint64_t)size << 32 | place;
}

static inline size_t key_place(uint64_t key)
{
    return (uint32_t)key;
}

/* Bytes in a store for at most `count` keys at a time. */
size_t key_tree_bytes(size_t count);
void key_tree_init(struct key_tree *tree, size_t count, struct fit_store *store);

/* Makes room for `count` keys: 0 or -ENOMEM. */
int key_tree_reach(struct key_tree *tree, size_t count, struct fit_store *store);

/* A key that is not there; there is room. */
void key_tree_insert(struct key_tree *tree, uint64_t key);

/* A key that is there. */
void key_tree_remove(struct key_tree *tree, uint64_t key);

/* The least key that is at least `key`, or KEY_NONE. */
uint64_t key_tree_least_from(const struct key_tree *tree, uint64_t key);

#endif
