/* What heaps under a placement policy have in common and need not inline. */
#include "allocators/fits.h"

int fits_create(const struct heap_config *config, const struct allocator *ops, size_t heap_bytes,
                size_t (*index_bytes)(size_t count), struct segments **out, struct err *err)
{
    struct segments *heap;
    const struct segments_layout layout = {
        .heap_bytes = heap_bytes,
        .most = (size_t)INT32_MAX * 16,
        .index_bytes = index_bytes,
    };
    int error = segments_create(config, ops, &layout, &heap, err);
    if (error)
        return error;
    segments_set_returning(heap);
    *out = heap;
    return 0;
}

void *fits_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t position = segments_position(segments, ref);
    if (segments_resize(segments, position, segments_granules(segments, size)))
        return ref;
    void *moved = heap->ops->alloc(heap, size);
    if (!moved)
        return NULL;
    memcpy(moved, ref, old_size < size ? old_size : size);
    segments->policy->release(segments, position);
    return moved;
}

void *fits_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    struct segments *segments = (struct segments *)heap;
    size_t position = segments_place_aligned(segments, align, segments_granules(segments, size));
    return position == FIT_NONE ? NULL : segments_pointer(segments, position);
}
