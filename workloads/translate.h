/* From a caller's own numbers to dense ones: a two-level table over all 32-bit numbers whose leaves
 * are there only while something in them is. */
#ifndef WORKLOADS_TRANSLATE_H
#define WORKLOADS_TRANSLATE_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "workloads/array.h"

enum { TRANSLATE_LEAF_BITS = 14, TRANSLATE_LEAF = 1 << TRANSLATE_LEAF_BITS };

struct translate_leaf {
    uint32_t used;
    uint32_t dense[TRANSLATE_LEAF];
};

struct translate {
    struct array leaves;          /* struct translate_leaf * by the upper bits */
    struct translate_leaf *spare; /* emptied last */
};

#define TRANSLATE_NONE UINT32_MAX

/* The leaf's place in the table, or NULL beyond its end. */
static inline struct translate_leaf **translate_slot(const struct translate *translate,
                                                     uint32_t number)
{
    size_t place = number >> TRANSLATE_LEAF_BITS;
    if (place >= translate->leaves.bytes / sizeof(struct translate_leaf *))
        return NULL;
    return (struct translate_leaf **)translate->leaves.at + place;
}

/* The dense number of `number`, or TRANSLATE_NONE. */
static inline uint32_t translate_find(const struct translate *translate, uint32_t number)
{
    struct translate_leaf **slot = translate_slot(translate, number);
    return slot && *slot ? (*slot)->dense[number % TRANSLATE_LEAF] : TRANSLATE_NONE;
}

/* A leaf for a number that has none. NULL: no memory. */
struct translate_leaf *translate_grow(struct translate *translate, uint32_t number);

/* Enters a number that is not there. 0 or -ENOMEM. A zeroed struct is an empty table. */
static inline int translate_enter(struct translate *translate, uint32_t number, uint32_t dense)
{
    struct translate_leaf **slot = translate_slot(translate, number);
    struct translate_leaf *leaf = slot && *slot ? *slot : translate_grow(translate, number);
    if (!leaf)
        return -ENOMEM;
    leaf->dense[number % TRANSLATE_LEAF] = dense;
    leaf->used++;
    return 0;
}

/* Frees a leaf that has become empty. */
void translate_shrink(struct translate *translate, uint32_t number);

/* Takes a number out that is there. */
static inline void translate_leave(struct translate *translate, uint32_t number)
{
    struct translate_leaf *leaf = *translate_slot(translate, number);
    leaf->dense[number % TRANSLATE_LEAF] = TRANSLATE_NONE;
    if (--leaf->used == 0)
        translate_shrink(translate, number);
}

void translate_release(struct translate *translate);

#endif
