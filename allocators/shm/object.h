/* A shared heap as a named object of shared memory, which any process of the same user may map.
 *
 * The object is as long as the heap may ever grow, but sparse: only pages that were written exist.
 * Every process maps all of it, so a heap that grows is longer for all of them at once, and no
 * pointer changes. */
#ifndef ALLOCATORS_SHM_OBJECT_H
#define ALLOCATORS_SHM_OBJECT_H

#include "allocators/shm/heap.h"

/* Makes the object `name` (mode 0600, not existing yet) with `size` bytes of objects' space and
 * maps it. 0 or -errno with nothing left behind: -EEXIST, -ENOSPC when shared memory has not that
 * much left, -EINVAL for a size of 0, -ENOMEM without the address space. */
int shm_object_create(const char *name, size_t size, struct shm_heap **out);

/* Maps the heap that another process made. -ENOENT; -EINVAL when it is no heap of this kind and
 * version. */
int shm_object_connect(const char *name, struct shm_heap **out);

void shm_object_unmap(struct shm_heap *heap);

/* Removes the name if it is this heap's; else -ENOENT or -EINVAL and nothing happens. */
int shm_object_unlink(const char *name, const struct shm_heap *heap);

/* Whether `heap` is mapped and has that id: asks the kernel first, so any pointer will do. */
bool shm_object_is_mapped(const struct shm_heap *heap, uint64_t id);

/* Makes room for a block of `units`, with the lock held. False when the object's length or the
 * shared memory is exhausted. */
bool shm_object_grow(struct shm_heap *heap, uint64_t units);

#endif
