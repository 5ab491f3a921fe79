/* A list by numbers: which element of a free list comes first, and the first that is large enough.
 *
 * Each free block has a slot; slots rise from the head of the list to its end. A block that goes to
 * the head takes the slot before the first one; one that is cut keeps its slot; when none is left
 * before the first, the list is renumbered, which is paid for by what went to the head since. The
 * sizes by slot are a tree of maxima (fit_tree.h): O(log n) a call, amortised. 8 bytes a slot, 9 to
 * 26 a free block. */
#ifndef ALLOCATORS_LIST_ORDER_H
#define ALLOCATORS_LIST_ORDER_H

#include "allocators/fit_tree.h"

struct list_order {
    struct fit_tree sizes; /* by slot, in granules; 0: nothing there */
    uint32_t *position;    /* by slot */
    size_t front, end;     /* the first slot that was ever taken; behind the last */
    size_t room;           /* slots that there is memory for; at the next renumbering, the end */
    size_t count;          /* blocks in the list */
    struct fit_store *store;
};

/* Bytes in a store for lists of at most `count` blocks. */
size_t list_order_bytes(size_t count);

/* An empty list. 0 or -ENOMEM. */
int list_order_init(struct list_order *list, size_t count, struct fit_store *store);

/* Makes sure that the list can hold `count` blocks whatever happens. 0 or -ENOMEM. */
int list_order_reserve(struct list_order *list, size_t count);

/* Told of each block whose slot changes, the last ones first. */
typedef void list_order_moved(void *arg, size_t from, size_t to);

/* Gives the head room again; the list holds fewer blocks than were reserved. */
void list_order_renumber(struct list_order *list, list_order_moved *moved, void *arg);

/* Just after renumbering: gives memory back but for `room` slots, which are fewer than there are,
 * but enough; the blocks then stand at the end of those. Told of the first ones first. Returns by
 * how many slots they moved. */
size_t list_order_shrink(struct list_order *list, size_t room, list_order_moved *moved, void *arg);

/* Whether a block can go to the head without renumbering. */
FIT_INLINE bool list_order_has_room(const struct list_order *list)
{
    return list->front > 0;
}

FIT_INLINE void list_order_set(struct list_order *list, size_t slot, size_t position, size_t size)
{
    list->position[slot] = (uint32_t)position;
    list->sizes.level[0][slot] = (uint32_t)size;
    fit_tree_raise(&list->sizes, slot, (uint32_t)size);
}

/* A block at the head: its slot. There is room. */
FIT_INLINE size_t list_order_push(struct list_order *list, size_t position, size_t size)
{
    list_order_set(list, --list->front, position, size);
    list->count++;
    return list->front;
}

/* What is left of the block in `slot` stands there. */
FIT_INLINE void list_order_cut(struct list_order *list, size_t slot, size_t position, size_t size)
{
    list->position[slot] = (uint32_t)position;
    list->sizes.level[0][slot] = (uint32_t)size;
}

FIT_INLINE void list_order_remove(struct list_order *list, size_t slot)
{
    list->sizes.level[0][slot] = 0;
    list->count--;
}

/* The first slot from `from` on whose block has at least `size` > 0 granules, or FIT_NONE. */
FIT_INLINE size_t list_order_find(struct list_order *list, size_t size, size_t from)
{
    return fit_tree_seek(&list->sizes, 0, from, (uint32_t)size);
}

#endif
