/* A layer: a heap around a heap. It owns the inner heap and holds a table of its own, copied from
 * the inner one with its own hooks laid over. */
#ifndef ALLOCATORS_LAYER_H
#define ALLOCATORS_LAYER_H

#include "allocators/allocator.h"

struct layer {
    const char *name;
    const char *summary;
    const struct option_row *options; /* NULL: none */
    unsigned flags;                   /* enum allocator_flag: what it adds to the table */
    /* Owns `inner` from then on, also when it fails (then inner is destroyed). */
    int (*wrap)(struct heap *inner, const union option_value *values, struct heap **out,
                struct err *err);
};

/* The layers that list.h lists. */
#define LAYER(symbol, file) extern const struct layer layer_##symbol;
#include "allocators/list.h"

/* What every layer's heap begins with. */
struct layer_heap {
    struct heap heap;
    struct heap *inner; /* owned */
    struct allocator table;
    size_t bytes; /* of the mapping that holds it */
};

/* A layer's heap of `bytes`, zeroed, around `inner`. Its table is the inner one with every hook
 * that is there passing the call on; the layer then lays its own over it. NULL without memory: then
 * inner is destroyed and *err says so. */
void *layer_create(struct heap *inner, size_t bytes, const char *name, struct err *err);

/* Destroys the inner heap and gives the layer's memory back: the destroy hook of a layer that has
 * nothing more to release. */
void layer_destroy(struct heap *heap);

static inline struct heap *layer_inner(struct heap *heap)
{
    return ((struct layer_heap *)heap)->inner;
}

#endif
