/* The classic shared-memory heap interface: handles, and what is said about bad calls. */
#include "allocators/api/shmheap.h"

#include <errno.h>
#include <stdbool.h>

#include "allocators/classic/export.h"
#include "allocators/shm/object.h"

static const shmheap_memory_handle shmheap_none;

/* NULL unless the handle is connected. errno stays, also from a failed call before. */
static struct shm_heap *shmheap_of(shmheap_memory_handle mem)
{
    int error = errno;
    struct shm_heap *heap = mem.heap;
    bool connected = shm_object_is_mapped(heap, mem.id);
    errno = error;
    return connected ? heap : NULL;
}

static shmheap_memory_handle shmheap_result(int error, struct shm_heap *heap)
{
    if (error) {
        errno = -error;
        return shmheap_none;
    }
    return (shmheap_memory_handle){heap, heap->id};
}

EXPORT shmheap_memory_handle shmheap_create(const char *name, size_t len)
{
    struct shm_heap *heap = NULL;
    int error = shm_object_create(name, len, &heap);
    return shmheap_result(error, heap);
}

EXPORT shmheap_memory_handle shmheap_connect(const char *name)
{
    struct shm_heap *heap = NULL;
    int error = shm_object_connect(name, &heap);
    return shmheap_result(error, heap);
}

EXPORT void shmheap_disconnect(shmheap_memory_handle mem)
{
    struct shm_heap *heap = shmheap_of(mem);
    if (heap)
        shm_object_unmap(heap);
    else
        classic_complain("shmheap: shmheap_disconnect: the handle is not connected");
}

EXPORT void shmheap_destroy(const char *name, shmheap_memory_handle mem)
{
    struct shm_heap *heap = shmheap_of(mem);
    if (!heap) {
        classic_complain("shmheap: shmheap_destroy: the handle is not connected");
        return;
    }
    int error = shm_object_unlink(name, heap);
    if (error == -ENOENT)
        classic_complain("shmheap: shmheap_destroy: %s was removed already", name);
    else if (error)
        classic_complain("shmheap: shmheap_destroy: %s is not this heap's name, nothing done",
                         name ? name : "(null)");
    if (!error || error == -ENOENT)
        shm_object_unmap(heap);
}

EXPORT void *shmheap_underlying(shmheap_memory_handle mem)
{
    struct shm_heap *heap = shmheap_of(mem);
    return heap ? shm_heap_data(heap) : NULL;
}

static uint64_t shmheap_take(struct shm_heap *heap, uint64_t units)
{
    if (!shm_heap_lock(heap))
        return 0;
    uint64_t offset = shm_heap_take(heap, units);
    if (!offset && shm_object_grow(heap, units))
        offset = shm_heap_take(heap, units);
    shm_heap_unlock(heap);
    return offset;
}

EXPORT void *shmheap_alloc(shmheap_memory_handle mem, size_t sz)
{
    struct shm_heap *heap = shmheap_of(mem);
    uint64_t units = shm_heap_units(sz, SPACE_UNIT);
    uint64_t offset = heap && units ? shmheap_take(heap, units) : 0;
    if (offset)
        return shm_heap_data(heap) + offset;
    errno = heap && sz ? ENOMEM : EINVAL;
    return NULL;
}

/* The offset of an address in the heap's space; 0 for one outside. */
static uint64_t shmheap_offset(const struct shm_heap *heap, const void *ptr)
{
    uint64_t offset = (uintptr_t)ptr - (uintptr_t)shm_heap_data(heap);
    return ptr && offset < shm_heap_size(heap) ? offset : 0;
}

/* NULL when that was done, else what was wrong. */
static const char *shmheap_give(struct shm_heap *heap, uint64_t offset)
{
    if (!shm_heap_lock(heap))
        return "the heap's lock is damaged";
    const char *wrong = "no live object begins there";
    if (shm_heap_is_live(heap, offset))
        wrong = shm_heap_give(heap, offset)
                    ? NULL
                    : "freed, but the bookkeeping before the object had been overwritten";
    shm_heap_unlock(heap);
    return wrong;
}

EXPORT void shmheap_free(shmheap_memory_handle mem, void *ptr)
{
    struct shm_heap *heap = shmheap_of(mem);
    const char *wrong = "the handle is not connected";
    if (heap)
        wrong = shmheap_give(heap, shmheap_offset(heap, ptr));
    if (wrong)
        classic_complain("shmheap: shmheap_free(%p): %s", ptr, wrong);
}

EXPORT shmheap_object_handle shmheap_ptr_to_handle(shmheap_memory_handle mem, void *ptr)
{
    struct shm_heap *heap = shmheap_of(mem);
    return (shmheap_object_handle){heap ? shmheap_offset(heap, ptr) : 0};
}

EXPORT void *shmheap_handle_to_ptr(shmheap_memory_handle mem, shmheap_object_handle hdl)
{
    struct shm_heap *heap = shmheap_of(mem);
    if (!heap || hdl.offset == 0 || hdl.offset >= shm_heap_size(heap))
        return NULL;
    return shm_heap_data(heap) + hdl.offset;
}
