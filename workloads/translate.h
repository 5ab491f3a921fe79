/* From a caller's own numbers to dense ones: a two-level table over all 32-bit numbers whose leaves
 * are there only while something in them is. */
#ifndef WORKLOADS_TRANSLATE_H
#define WORKLOADS_TRANSLATE_H

#include <stdint.h>

#include "workloads/array.h"

struct translate {
    struct array leaves; /* struct translate_leaf * by the upper bits */
    struct translate_leaf *spare;
};

#define TRANSLATE_NONE UINT32_MAX

/* The dense number of `number`, or TRANSLATE_NONE. */
uint32_t translate_find(const struct translate *translate, uint32_t number);

/* Enters a number that is not there. 0 or -ENOMEM. A zeroed struct is an empty table. */
int translate_enter(struct translate *translate, uint32_t number, uint32_t dense);

/* Takes a number out that is there. */
void translate_leave(struct translate *translate, uint32_t number);

void translate_release(struct translate *translate);

#endif
