/* locked: one mutex around every call, which makes a backend for one thread one for any. */
#include <errno.h>
#include <pthread.h>

#include "allocators/layer.h"

struct locked {
    struct layer_heap layer;
    pthread_mutex_t mutex;
};

static struct heap *locked_take(struct heap *heap)
{
    pthread_mutex_lock(&((struct locked *)heap)->mutex);
    return layer_inner(heap);
}

static void locked_give(struct heap *heap)
{
    pthread_mutex_unlock(&((struct locked *)heap)->mutex);
}

static void *locked_alloc(struct heap *heap, size_t size)
{
    void *ref = heap_alloc(locked_take(heap), size);
    locked_give(heap);
    return ref;
}

static void locked_free(struct heap *heap, void *ref)
{
    heap_free(locked_take(heap), ref);
    locked_give(heap);
}

static void *locked_zalloc(struct heap *heap, size_t size)
{
    void *ref = heap_zalloc(locked_take(heap), size);
    locked_give(heap);
    return ref;
}

static void *locked_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    void *moved = heap_realloc(locked_take(heap), ref, old_size, size);
    locked_give(heap);
    return moved;
}

static void *locked_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    void *ref = heap_alloc_aligned(locked_take(heap), align, size);
    locked_give(heap);
    return ref;
}

static size_t locked_usable_size(struct heap *heap, void *ref)
{
    size_t usable = heap_usable_size(locked_take(heap), ref, 0);
    locked_give(heap);
    return usable;
}

static void *locked_resolve(struct heap *heap, void *ref)
{
    void *pointer = heap_resolve(locked_take(heap), ref);
    locked_give(heap);
    return pointer;
}

static void *locked_ref_of(struct heap *heap, void *pointer)
{
    void *ref = heap_ref_of(locked_take(heap), pointer);
    locked_give(heap);
    return ref;
}

static int locked_thread_enter(struct heap *heap)
{
    int failed = heap_thread_enter(locked_take(heap));
    locked_give(heap);
    return failed;
}

static void locked_thread_leave(struct heap *heap)
{
    heap_thread_leave(locked_take(heap));
    locked_give(heap);
}

static void locked_destroy(struct heap *heap)
{
    pthread_mutex_destroy(&((struct locked *)heap)->mutex);
    layer_destroy(heap);
}

/* Trim, stats, walk and check are for a quiet heap: they are passed on as they are. */
static void locked_lay(struct allocator *table)
{
    table->threads = THREADS_ANY;
    table->destroy = locked_destroy;
    table->alloc = locked_alloc;
    table->free = locked_free;
#define LOCKED_LAY(hook) table->hook = table->hook ? locked_##hook : NULL
    LOCKED_LAY(zalloc);
    LOCKED_LAY(realloc);
    LOCKED_LAY(alloc_aligned);
    LOCKED_LAY(usable_size);
    LOCKED_LAY(resolve);
    LOCKED_LAY(ref_of);
    LOCKED_LAY(thread_enter);
    LOCKED_LAY(thread_leave);
#undef LOCKED_LAY
}

static int locked_wrap(struct heap *inner, const union option_value *values, struct heap **out,
                       struct err *err)
{
    (void)values;
    struct locked *locked = layer_create(inner, sizeof *locked, "locked", err);
    if (!locked)
        return -ENOMEM;
    pthread_mutex_init(&locked->mutex, NULL);
    locked_lay(&locked->layer.table);
    *out = &locked->layer.heap;
    return 0;
}

const struct layer layer_locked = {
    .name = "locked",
    .summary = "one mutex around every call: any number of threads on a backend for one",
    .wrap = locked_wrap,
};
