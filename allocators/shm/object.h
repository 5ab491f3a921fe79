/* A shared heap as a named object of shared memory, which any process of the same user may map.
 *
 * Every process maps the object as far as the heap may ever grow, beyond the object's end, so that
 * no pointer changes when it is lengthened. Accessible is what there is: every call first makes
 * what another process added accessible too, and backed by memory (see backing.h): that there is
 * none left, a call finds out when the heap grows, and no caller by a SIGBUS. (Tools that look at
 * all memory of a process, such as valgrind at its end, would otherwise go through every page that
 * might be there one day.) The object stays open, since only so can it be lengthened whatever
 * became of its name.
 */
#ifndef ALLOCATORS_SHM_OBJECT_H
#define ALLOCATORS_SHM_OBJECT_H

#include "allocators/shm/heap.h"

/* A process's own page, before its mapping of the heap. */
struct shm_object {
    struct shm_heap *heap;
    uint64_t id; /* the heap's */
    int file;
    uint64_t reach; /* accessible bytes of the objects' space */
};

/* Makes the object `name` (mode 0600, not existing yet) with `size` bytes of objects' space, to
 * grow up to `capacity` bytes (less, but not below `size`, where this process may not have the
 * address space), and maps it. 0 or -errno with nothing left behind: -EEXIST, -ENOSPC when shared
 * memory has not that much left, -EINVAL for a size of 0, -ENOMEM. */
int shm_object_create(const char *name, size_t size, uint64_t capacity, struct shm_object **out);

/* Maps the heap that another process made. -ENOENT; -EINVAL when it is no heap of this kind and
 * version. */
int shm_object_connect(const char *name, struct shm_object **out);

/* Unmaps and closes it; `object` is gone. */
void shm_object_disconnect(struct shm_object *object);

/* Removes the name if it is this heap's. Else nothing happens: -EINVAL, or -ENOENT when the heap
 * has no name any more. */
int shm_object_unlink(const char *name, const struct shm_object *object);

/* Whether there is an object of that id: asks the kernel first, so any pointer will do. */
bool shm_object_is_mapped(const struct shm_object *object, uint64_t id);

void shm_object_extend_reach(struct shm_object *object);

/* The heap, as large as it is now accessible in this process. */
static inline struct shm_heap *shm_object_heap(struct shm_object *object)
{
    if (__builtin_expect(shm_heap_size(object->heap) > object->reach, 0))
        shm_object_extend_reach(object);
    return object->heap;
}

/* Makes room for `units` more at the space's end, with the lock held. False when the capacity or
 * the shared memory is exhausted. */
bool shm_object_grow(struct shm_object *object, uint64_t units);

#endif
