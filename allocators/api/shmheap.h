/* The shared-memory heap: several processes allocate from one heap, first fit.
 *
 * A memory handle names a heap in this process, an object handle an object in every process that
 * is connected to its heap; both are plain values, to be copied bit by bit. A handle that a failed
 * call returned is all zero bits. Any number of heaps may be in use at once.
 *
 * The heap's space begins at shmheap_underlying(). The first bookkeeping space is 16 bytes, every
 * other 8; objects are aligned to 8 bytes and their sizes rounded up to 8. What the heap needs
 * besides (lock, index) lies elsewhere. A new object takes the free space nearest the start that
 * holds it. When there is none the heap grows, and every pointer and handle stays valid: to 1 GiB
 * or 16 times its length, whichever is more, or less where its creator may not have the address
 * space.
 *
 * Every call may be made by any thread of any connected process at any time. A process that dies
 * inside a call, at whatever instruction, keeps nobody out: the next call repairs the heap. (All
 * must see the same process numbers, as those of one container do, since who holds the lock is
 * known by its number.) Memory that others fill is no room for an object, not a signal later: what
 * the heap grows by is taken from the system at once.
 *
 * Bad calls change nothing. Those that return something return zero bits (NULL); shmheap_create,
 * _connect and _alloc set errno; the void ones write one line to stderr. That holds for handles
 * that are not connected any more, too: every call asks the kernel whether the heap is mapped. */
#ifndef SHMHEAP_H
#define SHMHEAP_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    void *object;
    uint64_t id;
} shmheap_memory_handle;

typedef struct {
    uint64_t offset;
} shmheap_object_handle;

/* A new heap of `len` bytes, of any length but 0, under a name for shm_open that does not exist yet
 * (mode 0600). An object of len - 80 bytes has room in it without growing. */
shmheap_memory_handle shmheap_create(const char *name, size_t len);

/* The heap that another process (or this one) created. Refused with EINVAL if the name is not that
 * of a heap of this kind and version. */
shmheap_memory_handle shmheap_connect(const char *name);

/* Unmaps the heap from this process; its pointers and `mem` are void. */
void shmheap_disconnect(shmheap_memory_handle mem);

/* Unmaps the heap from this process and removes its name, which must be this heap's. */
void shmheap_destroy(const char *name, shmheap_memory_handle mem);

/* Where the heap's space begins in this process: offsets are counted from there. NULL, and errno as
 * it was, if `mem` is not connected: so this tells whether shmheap_create or _connect succeeded. */
void *shmheap_underlying(shmheap_memory_handle mem);

/* NULL for a size of 0 or when memory is exhausted. */
void *shmheap_alloc(shmheap_memory_handle mem, size_t sz);

/* The object's space is free and joined with free space on both its sides. */
void shmheap_free(shmheap_memory_handle mem, void *ptr);

/* NULL becomes a handle of zero bits, and back; so does what lies outside of the heap. */
shmheap_object_handle shmheap_ptr_to_handle(shmheap_memory_handle mem, void *ptr);
void *shmheap_handle_to_ptr(shmheap_memory_handle mem, shmheap_object_handle hdl);

#ifdef __cplusplus
}
#endif

#endif
