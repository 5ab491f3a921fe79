/* null: every block is the same address, and free does nothing. What a replay over it costs is the
 * cost of the harness itself: the floor under every other figure. */
#include <errno.h>
#include <string.h>

#include "allocators/allocator.h"
#include "allocators/region.h"

/* One page for the heap, one that every block lies in. */
static int null_create(const struct heap_config *config, struct heap **out, struct err *err)
{
    if (region_commit(config->region, 0, 2 * region_page()) < 0)
        return err_set(err, ENOMEM, "null: no memory for its two pages");
    struct heap *heap = (struct heap *)config->region->base;
    heap->ops = &allocator_null;
    *out = heap;
    return 0;
}

static void null_destroy(struct heap *heap)
{
    (void)heap;
}

static void *null_alloc(struct heap *heap, size_t size)
{
    (void)size;
    return (char *)heap + 4096;
}

static void null_free(struct heap *heap, void *ref)
{
    (void)heap;
    (void)ref;
}

static void *null_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    (void)ref;
    (void)old_size;
    return null_alloc(heap, size);
}

static void *null_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    (void)align;
    return null_alloc(heap, size);
}

const struct allocator allocator_null = {
    .name = "null",
    .summary = "one address for every block: the cost of the harness itself",
    .align = 4096,
    .threads = THREADS_ANY,
    .scope = SCOPE_HEAP,
    .flags = ALLOCATOR_NOT_REAL | ALLOCATOR_NO_FREE,
    .create = null_create,
    .destroy = null_destroy,
    .alloc = null_alloc,
    .free = null_free,
    .zalloc = null_alloc,
    .realloc = null_realloc,
    .alloc_aligned = null_alloc_aligned,
};
