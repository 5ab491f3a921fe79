/* Heaps under a placement policy that finds holes by address (holes.h). */
#ifndef ALLOCATORS_FITS_BY_ADDRESS_H
#define ALLOCATORS_FITS_BY_ADDRESS_H

#include "allocators/fits.h"
#include "allocators/holes.h"

struct by_address {
    struct segments segments;
    struct holes holes;
    size_t rover; /* next fit: a granule */
};

FIT_INLINE struct holes *by_address_holes(struct segments *heap)
{
    return &((struct by_address *)heap)->holes;
}

FIT_INLINE void by_address_insert(struct segments *heap, size_t position, size_t size,
                                  bool leftover)
{
    holes_insert(by_address_holes(heap), position, size, leftover);
}

/* The index needs no telling. */
FIT_INLINE void by_address_remove(struct segments *heap, size_t position, size_t size)
{
    (void)heap;
    (void)position;
    (void)size;
}

static inline int by_address_reach(struct segments *heap, size_t last)
{
    return holes_reach(by_address_holes(heap), last, &heap->store);
}

static inline void by_address_retreat(struct segments *heap, size_t last)
{
    holes_retreat(by_address_holes(heap), last, &heap->store);
}

static inline const char *by_address_flaw(const struct segments *heap, size_t position)
{
    const struct holes *holes = &((const struct by_address *)heap)->holes;
    const uint32_t *bounds = holes->tree.level[0];
    return bounds[position / 64] < granules_size(&heap->map, position)
               ? "the index takes it for smaller than it is"
               : NULL;
}

static inline int by_address_create(const struct heap_config *config, const struct allocator *ops,
                                    const struct segments_policy *policy, struct heap **out,
                                    struct err *err)
{
    struct segments *heap;
    int error = fits_create(config, ops, sizeof(struct by_address), holes_bytes, &heap, err);
    if (error)
        return error;
    holes_init(by_address_holes(heap), heap->limit + 64, &heap->store);
    *out = &heap->heap;
    return segments_start(heap, policy, err);
}

#endif
