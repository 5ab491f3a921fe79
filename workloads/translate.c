/* A two-level table of numbers. */
#include "workloads/translate.h"

#include <errno.h>
#include <string.h>

#include "harness/base/pages.h"

enum { LEAF_BITS = 14, LEAF_COUNT = 1 << LEAF_BITS };

struct translate_leaf {
    uint32_t used;
    uint32_t dense[LEAF_COUNT];
};

static struct translate_leaf **translate_slot(const struct translate *translate, uint32_t number)
{
    size_t place = number >> LEAF_BITS;
    if (place >= translate->leaves.bytes / sizeof(struct translate_leaf *))
        return NULL;
    return (struct translate_leaf **)translate->leaves.at + place;
}

uint32_t translate_find(const struct translate *translate, uint32_t number)
{
    struct translate_leaf **slot = translate_slot(translate, number);
    return slot && *slot ? (*slot)->dense[number % LEAF_COUNT] : TRANSLATE_NONE;
}

/* One emptied leaf is kept, so that a workload on the border of two does not map and unmap. */
static struct translate_leaf *translate_leaf_get(struct translate *translate)
{
    struct translate_leaf *leaf = translate->spare;
    translate->spare = NULL;
    if (!leaf)
        leaf = pages_map_lazy(sizeof *leaf);
    if (leaf) {
        leaf->used = 0;
        memset(leaf->dense, 0xff, sizeof leaf->dense);
    }
    return leaf;
}

static void translate_leaf_put(struct translate *translate, struct translate_leaf *leaf)
{
    if (translate->spare)
        pages_unmap(leaf, sizeof *leaf);
    else
        translate->spare = leaf;
}

int translate_enter(struct translate *translate, uint32_t number, uint32_t dense)
{
    size_t place = number >> LEAF_BITS;
    if (array_reserve(&translate->leaves, (place + 1) * sizeof(struct translate_leaf *)))
        return -ENOMEM;
    struct translate_leaf **slot = translate_slot(translate, number);
    if (!*slot && !(*slot = translate_leaf_get(translate)))
        return -ENOMEM;
    (*slot)->dense[number % LEAF_COUNT] = dense;
    (*slot)->used++;
    return 0;
}

void translate_leave(struct translate *translate, uint32_t number)
{
    struct translate_leaf **slot = translate_slot(translate, number);
    (*slot)->dense[number % LEAF_COUNT] = TRANSLATE_NONE;
    if (--(*slot)->used == 0) {
        translate_leaf_put(translate, *slot);
        *slot = NULL;
    }
}

void translate_release(struct translate *translate)
{
    struct translate_leaf **leaves = translate->leaves.at;
    for (size_t i = 0; i < translate->leaves.bytes / sizeof *leaves; i++)
        pages_unmap(leaves[i], sizeof **leaves);
    pages_unmap(translate->spare, sizeof *translate->spare);
    array_release(&translate->leaves);
    translate->spare = NULL;
}
