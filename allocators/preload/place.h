/* Blocks as a real program must have them, on a heap that may know less: aligned as malloc's
 * contract says, and with a size that can be asked for.
 *
 * Where the backend cannot do it, the block is made larger, handed out from inside, and remembered.
 * The caller serialises. */
#ifndef ALLOCATORS_PRELOAD_PLACE_H
#define ALLOCATORS_PRELOAD_PLACE_H

#include "allocators/allocator.h"
#include "allocators/block_table.h"

struct place {
    struct heap *heap;         /* borrowed */
    struct block_table blocks; /* that do not begin where the backend's do, or have no size */
};

int place_init(struct place *place, struct heap *heap, struct err *err);

/* Memory of `size` > 0 bytes at a multiple of `align`, a power of two; NULL as alloc. */
void *place_alloc(struct place *place, size_t align, size_t size, bool zero);

/* Whether such memory begins at `pointer`, which may be any address. */
bool place_owns(const struct place *place, const void *pointer);

/* False, and nothing is done: no such memory begins there. */
bool place_free(struct place *place, void *pointer);

/* Of memory that place_owns. */
void *place_realloc(struct place *place, void *pointer, size_t size);
size_t place_usable(struct place *place, void *pointer);

/* What malloc guarantees for a block of `size` bytes. */
static inline size_t place_align(size_t size)
{
    return size < 16 ? 8 : 16;
}

#endif
