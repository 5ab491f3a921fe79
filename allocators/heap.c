/* The defaults for hooks that a backend does not have, and what makes a table sound. */
#include <errno.h>
#include <string.h>

#include "allocators/allocator.h"

void *heap_zalloc(struct heap *heap, size_t size)
{
    if (heap->ops->zalloc)
        return heap->ops->zalloc(heap, size);
    void *ref = heap->ops->alloc(heap, size);
    if (ref)
        memset(heap_resolve(heap, ref), 0, size);
    return ref;
}

void *heap_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    if (heap->ops->realloc)
        return heap->ops->realloc(heap, ref, old_size, size);
    void *fresh = heap->ops->alloc(heap, size);
    if (!fresh)
        return NULL;
    memcpy(heap_resolve(heap, fresh), heap_resolve(heap, ref), old_size < size ? old_size : size);
    heap->ops->free(heap, ref);
    return fresh;
}

bool heap_can_align(const struct allocator *allocator, size_t align)
{
    return align <= allocator->align || allocator->alloc_aligned;
}

void *heap_alloc_aligned(struct heap *heap, size_t align, size_t size)
{
    if (align <= heap->ops->align)
        return heap->ops->alloc(heap, size);
    if (heap->ops->alloc_aligned)
        return heap->ops->alloc_aligned(heap, align, size);
    errno = ENOTSUP;
    return NULL;
}

size_t heap_usable_size(struct heap *heap, void *ref, size_t size)
{
    return heap->ops->usable_size ? heap->ops->usable_size(heap, ref) : size;
}

int heap_thread_enter(struct heap *heap)
{
    return heap->ops->thread_enter ? heap->ops->thread_enter(heap) : 0;
}

void heap_thread_leave(struct heap *heap)
{
    if (heap->ops->thread_leave)
        heap->ops->thread_leave(heap);
}

size_t heap_trim(struct heap *heap)
{
    return heap->ops->trim ? heap->ops->trim(heap) : 0;
}

void heap_stats(struct heap *heap, struct heap_stats *out)
{
    memset(out, 0xff, sizeof *out); /* every field UINT64_MAX: unknown */
    if (heap->ops->stats)
        heap->ops->stats(heap, out);
}

int heap_walk(struct heap *heap, heap_visitor *visit, void *arg)
{
    return heap->ops->walk ? heap->ops->walk(heap, visit, arg) : -ENOTSUP;
}

int heap_check(struct heap *heap, char *why, size_t length)
{
    return heap->ops->check ? heap->ops->check(heap, why, length) : -ENOTSUP;
}

void heap_destroy(struct heap *heap)
{
    heap->ops->destroy(heap);
}

static const char *allocator_flaw_of_options(const struct option_row *rows)
{
    union option_value values[OPTIONS_MAX];
    if (options_count(rows) > OPTIONS_MAX)
        return "it has more options than OPTIONS_MAX";
    for (size_t i = 0; i < options_count(rows); i++) {
        if (!rows[i].help)
            return "an option has no help";
        if ((rows[i].type == OPTION_CHOICE) != (rows[i].choices != NULL))
            return "an option has choices and is none, or is one and has none";
    }
    return options_default(rows, values, NULL) ? "an option's default does not parse" : NULL;
}

const char *allocator_flaw(const struct allocator *a)
{
    if (!a->name || !*a->name || strpbrk(a->name, "+:,= "))
        return "its name is missing, or holds a character that specs need";
    if (!a->summary || !*a->summary)
        return "it has no summary";
    if (a->align == 0 || (a->align & (a->align - 1)))
        return "its alignment is no power of two";
    if (!a->create || !a->destroy || !a->alloc || !a->free)
        return "create, destroy, alloc or free is missing";
    if ((a->resolve != NULL) != (a->ref_of != NULL))
        return "it has one of resolve and ref_of without the other";
    if ((a->thread_enter != NULL) != (a->thread_leave != NULL))
        return "it has one of thread_enter and thread_leave without the other";
    if (allocator_has(a, ALLOCATOR_WALK_TILES) && !a->walk)
        return "it is flagged WALK_TILES and has no walk";
    if (allocator_has(a, ALLOCATOR_PROCESS_SHARED) != (a->attach != NULL))
        return "it is flagged PROCESS_SHARED without attach, or has attach without the flag";
    return allocator_flaw_of_options(a->options);
}
