/* A layer: a heap around a heap. It owns the inner heap and holds a table of its own, copied from
 * the inner one with its own hooks laid over. */
#ifndef ALLOCATORS_LAYER_H
#define ALLOCATORS_LAYER_H

#include "allocators/allocator.h"

struct layer {
    const char *name;
    const char *summary;
    const struct option_row *options; /* NULL: none */
    /* Owns `inner` from then on, also when it fails (then inner is destroyed). */
    int (*wrap)(struct heap *inner, const union option_value *values, struct heap **out,
                struct err *err);
};

#endif
