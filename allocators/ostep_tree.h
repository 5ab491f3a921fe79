/* The free blocks of ostep by size and place in its list, in their own memory: the least one from a
 * size on, for best fit.
 *
 * A treap (Seidel and Aragon, Randomized Search Trees, 1996) whose priorities are a hash of the
 * position. Its node is the header of a free block and the 8 bytes behind it, which each has. A
 * block's slot may change in the tree, as long as blocks of one size stay in order. */
#ifndef ALLOCATORS_OSTEP_TREE_H
#define ALLOCATORS_OSTEP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ostep_node {
    int32_t size;      /* bytes behind the header */
    uint32_t slot;     /* in the list */
    uint32_t child[2]; /* positions and 1; 0: none */
};

struct ostep_tree {
    char *base; /* of position 0; 16 bytes a position */
    uint32_t root;
};

/* A free block with its header, that is not there. */
void ostep_tree_insert(struct ostep_tree *tree, size_t position);

/* One that is there, its header as it was. */
void ostep_tree_remove(struct ostep_tree *tree, size_t position);

bool ostep_tree_has(const struct ostep_tree *tree, size_t position);

/* The slot of the smallest block of at least `size` bytes behind its header, of equals the first in
 * the list; or UINT32_MAX. */
uint32_t ostep_tree_least(const struct ostep_tree *tree, int32_t size);

#endif
