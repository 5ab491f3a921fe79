/* What the layers share: a heap around a heap whose hooks pass every call on. */
#include "allocators/layer.h"

#include <errno.h>

#include "harness/base/pages.h"

static void *layer_alloc(struct heap *heap, size_t size)
{
    return heap_alloc(layer_inner(heap), size);
}

static void layer_free(struct heap *heap, void *ref)
{
    heap_free(layer_inner(heap), ref);
}

static void *layer_zalloc(struct heap *heap, size_t size)
{
    return heap_zalloc(layer_inner(heap), size);
}

static void *layer_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    return heap_realloc(layer_inner(heap), ref, old_size, size);
}

static void *layer_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    return heap_alloc_aligned(layer_inner(heap), align, size);
}

static size_t layer_usable_size(struct heap *heap, void *ref)
{
    return heap_usable_size(layer_inner(heap), ref, 0);
}

static void *layer_resolve(struct heap *heap, void *ref)
{
    return heap_resolve(layer_inner(heap), ref);
}

static void *layer_ref_of(struct heap *heap, void *pointer)
{
    return heap_ref_of(layer_inner(heap), pointer);
}

static bool layer_owns(struct heap *heap, const void *pointer)
{
    return heap_owns(layer_inner(heap), pointer);
}

static int layer_thread_enter(struct heap *heap)
{
    return heap_thread_enter(layer_inner(heap));
}

static void layer_thread_leave(struct heap *heap)
{
    heap_thread_leave(layer_inner(heap));
}

static size_t layer_trim(struct heap *heap)
{
    return heap_trim(layer_inner(heap));
}

static void layer_stats(struct heap *heap, struct heap_stats *out)
{
    heap_stats(layer_inner(heap), out);
}

static int layer_walk(struct heap *heap, heap_visitor *visit, void *arg)
{
    return heap_walk(layer_inner(heap), visit, arg);
}

static int layer_check(struct heap *heap, char *why, size_t length)
{
    return heap_check(layer_inner(heap), why, length);
}

/* Presence is capability: a hook that the inner table lacks stays NULL. */
static void layer_table(struct allocator *table, const struct allocator *inner)
{
    *table = *inner;
    table->destroy = layer_destroy;
    table->alloc = layer_alloc;
    table->free = layer_free;
    table->attach = NULL;
    table->flags &= ~(unsigned)ALLOCATOR_PROCESS_SHARED;
#define LAYER_PASS(hook) table->hook = inner->hook ? layer_##hook : NULL
    LAYER_PASS(zalloc);
    LAYER_PASS(realloc);
    LAYER_PASS(alloc_aligned);
    LAYER_PASS(usable_size);
    LAYER_PASS(resolve);
    LAYER_PASS(ref_of);
    LAYER_PASS(owns);
    LAYER_PASS(thread_enter);
    LAYER_PASS(thread_leave);
    LAYER_PASS(trim);
    LAYER_PASS(stats);
    LAYER_PASS(walk);
    LAYER_PASS(check);
#undef LAYER_PASS
}

void *layer_create(struct heap *inner, size_t bytes, const char *name, struct err *err)
{
    struct layer_heap *layer = pages_map_private(bytes);
    if (!layer) {
        err_set(err, ENOMEM, "%s: no memory for the layer %s", inner->ops->name, name);
        heap_destroy(inner);
        return NULL;
    }
    layer_table(&layer->table, inner->ops);
    layer->heap.ops = &layer->table;
    layer->inner = inner;
    layer->bytes = bytes;
    return layer;
}

void layer_destroy(struct heap *heap)
{
    struct layer_heap *layer = (struct layer_heap *)heap;
    heap_destroy(layer->inner);
    pages_unmap(layer, layer->bytes);
}
