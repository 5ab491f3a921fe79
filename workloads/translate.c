/* A two-level table of numbers: its leaves come and go. */
#include "workloads/translate.h"

#include <string.h>

#include "harness/base/pages.h"

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

struct translate_leaf *translate_grow(struct translate *translate, uint32_t number)
{
    size_t place = number >> TRANSLATE_LEAF_BITS;
    if (array_reserve(&translate->leaves, (place + 1) * sizeof(struct translate_leaf *)))
        return NULL;
    return *translate_slot(translate, number) = translate_leaf_get(translate);
}

void translate_shrink(struct translate *translate, uint32_t number)
{
    struct translate_leaf **slot = translate_slot(translate, number);
    if (translate->spare)
        pages_unmap(*slot, sizeof **slot);
    else
        translate->spare = *slot;
    *slot = NULL;
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
