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
    if (align <= heap->ops->align)
        return place_enter(place, zero ? heap_zalloc(heap, size) : heap_alloc(heap, size), 1, size);
    if (heap->ops->alloc_aligned) {
        void *ref = heap_alloc_aligned(heap, align, size);
        return place_zeroed(place_enter(place, ref, 1, size), size, zero);
    }
    size_t total;
    if (__builtin_add_overflow(size, align - heap->ops->align, &total))
        return NULL;
    return place_zeroed(place_enter(place, heap_alloc(heap, total), align, size), size, zero);
}

static struct block_row place_row(const struct place *place, void *pointer)
{
    return place->blocks.live ? *block_table_find(&place->blocks, pointer) : (struct block_row){0};
}

void place_free(struct place *place, void *pointer)
{
    struct block_row row = place_row(place, pointer);
    if (row.state == BLOCK_LIVE)
        block_table_leave(&place->blocks, pointer);
    else
        row.ref = heap_ref_of(place->heap, pointer);
    heap_free(place->heap, row.ref);
}

size_t place_usable(struct place *place, void *pointer)
{
    struct block_row row = place_row(place, pointer);
    if (row.state != BLOCK_LIVE)
        return heap_usable_size(place->heap, heap_ref_of(place->heap, pointer), 0);
    return row.size;
}

/* The backend's own realloc may move a block to where the program cannot have it: it is used only
 * where every block is as it should be by itself. */
void *place_realloc(struct place *place, void *pointer, size_t size)
{
    struct heap *heap = place->heap;
    size_t old = place_usable(place, pointer);
    struct block_row row = place_row(place, pointer);
    if (heap->ops->usable_size && row.state != BLOCK_LIVE &&
        place_align(size) <= heap->ops->align) {
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
