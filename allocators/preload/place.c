/* Blocks as a real program must have them, on a heap that may know less. */
#include "allocators/preload/place.h"

#include <errno.h>
#include <string.h>

int place_init(struct place *place, struct heap *heap, struct err *err)
{
    place->heap = heap;
    if (!block_table_init(&place->blocks))
        return err_set(err, ENOMEM, "no memory for the table of blocks");
    return 0;
}

static void *place_zeroed(void *pointer, size_t size, bool zero)
{
    return pointer && zero ? memset(pointer, 0, size) : pointer;
}

static void *place_enter(struct place *place, void *ref, size_t align, size_t size)
{
    struct heap *heap = place->heap;
    if (!ref)
        return NULL;
    char *memory = heap_resolve(heap, ref);
    size_t front = -(uintptr_t)memory & (align - 1);
    if (!front && heap->ops->usable_size)
        return memory;
    if (block_table_enter(&place->blocks, memory + front, ref, size, front))
        return memory + front;
    heap_free(heap, ref);
    return NULL;
}

void *place_alloc(struct place *place, size_t align, size_t size, bool zero)
{
    struct heap *heap = place->heap;
    const struct allocator *ops = heap->ops;
    if (align <= ops->align) {
        void *ref = zero ? heap_zalloc(heap, size) : heap_alloc(heap, size);
        bool sized = ops->usable_size != NULL;
        if (__builtin_expect(sized && !ops->resolve, 1))
            return ref;
        return sized && ref ? heap_resolve(heap, ref) : place_enter(place, ref, 1, size);
    }
    if (ops->alloc_aligned) {
        void *ref = heap_alloc_aligned(heap, align, size);
        return place_zeroed(place_enter(place, ref, 1, size), size, zero);
    }
    size_t total;
    if (__builtin_add_overflow(size, align - ops->align, &total))
        return NULL;
    return place_zeroed(place_enter(place, heap_alloc(heap, total), align, size), size, zero);
}

/* Of a block that is remembered, else NULL. */
static const struct block_row *place_row(const struct place *place, const void *pointer)
{
    if (__builtin_expect(place->blocks.live == 0, 1))
        return NULL;
    const struct block_row *row = block_table_find(&place->blocks, pointer);
    return row->state == BLOCK_LIVE ? row : NULL;
}

bool place_owns(const struct place *place, const void *pointer)
{
    const struct block_row *row = place_row(place, pointer);
    return heap_owns(place->heap, row ? heap_resolve(place->heap, row->ref) : pointer);
}

bool place_free(struct place *place, void *pointer)
{
    struct heap *heap = place->heap;
    const struct block_row *row = place_row(place, pointer);
    if (__builtin_expect(!heap_owns(heap, row ? heap_resolve(heap, row->ref) : pointer), 0))
        return false;
    void *ref = row ? block_table_leave(&place->blocks, pointer).ref : heap_ref_of(heap, pointer);
    heap_free(heap, ref);
    return true;
}

size_t place_usable(struct place *place, void *pointer)
{
    const struct block_row *row = place_row(place, pointer);
    return row ? row->size : heap_usable_size(place->heap, heap_ref_of(place->heap, pointer), 0);
}

/* The backend's own realloc may move a block to where the program cannot have it: it is used only
 * where every block is as it should be by itself. */
void *place_realloc(struct place *place, void *pointer, size_t size)
{
    struct heap *heap = place->heap;
    size_t old = place_usable(place, pointer);
    if (heap->ops->usable_size && place_align(size) <= heap->ops->align &&
        !place_row(place, pointer)) {
        void *ref = heap_realloc(heap, heap_ref_of(heap, pointer), old, size);
        return ref ? heap_resolve(heap, ref) : NULL;
    }
    void *fresh = place_alloc(place, place_align(size), size, false);
    if (!fresh)
        return NULL;
    memcpy(fresh, pointer, old < size ? old : size);
    place_free(place, pointer);
    return fresh;
}
