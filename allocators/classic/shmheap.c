/* The classic shared-memory heap interface: handles, and what is said about bad calls. */
#include "allocators/api/shmheap.h"

#include <errno.h>
#include <stdbool.h>

#include "allocators/classic/export.h"
#include "allocators/shm/object.h"

#define SHMHEAP_CAPACITY_MIN ((uint64_t)1 << 30)
enum { SHMHEAP_GROWS_TIMES = 16 };

/* NULL unless the handle is connected. errno stays, also from a failed call before. */
static struct shm_object *shmheap_object(shmheap_memory_handle mem)
{
    int error = errno;
    struct shm_object *object = mem.object;
    bool connected = shm_object_is_mapped(object, mem.id);
    errno = error;
    return connected ? object : NULL;
}

static struct shm_heap *shmheap_of(shmheap_memory_handle mem)
{
    struct shm_object *object = shmheap_object(mem);
    return object ? shm_object_heap(object) : NULL;
}

static shmheap_memory_handle shmheap_handle(int error, struct shm_object *object)
{
    static const shmheap_memory_handle nothing;
    if (!error)
        return (shmheap_memory_handle){object, object->id};
    errno = -error;
    return nothing;
}

static uint64_t shmheap_capacity(size_t len)
{
    uint64_t most = SPACE_CAPACITY_MAX * SPACE_UNIT;
    uint64_t capacity = len < most / SHMHEAP_GROWS_TIMES ? len * SHMHEAP_GROWS_TIMES : most;
    return capacity > SHMHEAP_CAPACITY_MIN ? capacity : SHMHEAP_CAPACITY_MIN;
}

EXPORT shmheap_memory_handle shmheap_create(const char *name, size_t len)
{
    struct shm_object *object = NULL;
    int error = shm_object_create(name, len, shmheap_capacity(len), &object);
    return shmheap_handle(error, object);
}

EXPORT shmheap_memory_handle shmheap_connect(const char *name)
{
    struct shm_object *object = NULL;
    int error = shm_object_connect(name, &object);
    return shmheap_handle(error, object);
}

EXPORT void shmheap_disconnect(shmheap_memory_handle mem)
{
    struct shm_object *object = shmheap_object(mem);
    if (object)
        shm_object_disconnect(object);
    else
        classic_complain("shmheap: shmheap_disconnect: the handle is not connected");
}

EXPORT void shmheap_destroy(const char *name, shmheap_memory_handle mem)
{
    struct shm_object *object = shmheap_object(mem);
    if (!object) {
        classic_complain("shmheap: shmheap_destroy: the handle is not connected");
        return;
    }
    int error = shm_object_unlink(name, object);
    if (error == -ENOENT)
        classic_complain("shmheap: shmheap_destroy: %s was removed already", name);
    else if (error)
        classic_complain("shmheap: shmheap_destroy: %s is not this heap's name, nothing done",
                         name ? name : "(null)");
    if (!error || error == -ENOENT)
        shm_object_disconnect(object);
}

EXPORT void *shmheap_underlying(shmheap_memory_handle mem)
{
    struct shm_heap *heap = shmheap_of(mem);
    return heap ? shm_heap_data(heap) : NULL;
}

static uint64_t shmheap_take(struct shm_object *object, uint64_t units)
{
    struct shm_heap *heap = shm_object_heap(object);
    if (!shm_heap_lock(heap))
        return 0;
    /* Another may have lengthened it since. */
    heap = shm_object_heap(object);
    uint64_t offset = shm_heap_take(heap, units);
    if (!offset && shm_object_grow(object, units))
        offset = shm_heap_take(heap, units);
    shm_heap_unlock(heap);
    return offset;
}

EXPORT void *shmheap_alloc(shmheap_memory_handle mem, size_t sz)
{
    struct shm_object *object = shmheap_object(mem);
    uint64_t units = shm_heap_units(sz, SPACE_UNIT);
    uint64_t offset = object && units ? shmheap_take(object, units) : 0;
    if (offset)
        return shm_heap_data(object->heap) + offset;
    errno = object && sz ? ENOMEM : EINVAL;
    return NULL;
}

/* The offset of an address in the heap's space as far as it was accessible; 0 for one outside. */
static uint64_t shmheap_offset(struct shm_object *object, const void *ptr)
{
    struct shm_heap *heap = shm_object_heap(object);
    uint64_t offset = (uintptr_t)ptr - (uintptr_t)shm_heap_data(heap);
    return ptr && offset < object->reach && offset < shm_heap_size(heap) ? offset : 0;
}

/* NULL when that was done, else what was wrong. */
static const char *shmheap_give(struct shm_object *object, const void *ptr)
{
    struct shm_heap *heap = object->heap;
    uint64_t offset = shmheap_offset(object, ptr);
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
    struct shm_object *object = shmheap_object(mem);
    const char *wrong = "the handle is not connected";
    if (object)
        wrong = shmheap_give(object, ptr);
    if (wrong)
        classic_complain("shmheap: shmheap_free(%p): %s", ptr, wrong);
}

EXPORT shmheap_object_handle shmheap_ptr_to_handle(shmheap_memory_handle mem, void *ptr)
{
    struct shm_object *object = shmheap_object(mem);
    return (shmheap_object_handle){object ? shmheap_offset(object, ptr) : 0};
}

EXPORT void *shmheap_handle_to_ptr(shmheap_memory_handle mem, shmheap_object_handle hdl)
{
    struct shm_heap *heap = shmheap_of(mem);
    if (!heap || hdl.offset == 0 || hdl.offset >= shm_heap_size(heap))
        return NULL;
    return shm_heap_data(heap) + hdl.offset;
}
