/* The shared heap: a space of objects, its bookkeeping and a robust lock in one stretch of memory,
 * which every process may have mapped at another address.
 *
 *   struct shm_heap, bookkeeping | from data_at on: the objects' space
 *
 * The stretch is laid out once, for as large as the heap may ever grow. Before each object stand 8
 * bytes of bookkeeping, before the first 16: unit 0 of the space belongs to no block, and the first
 * unit of every block is its seal. An object is named by its offset from the start of the objects'
 * space, 0 being none. */
#ifndef ALLOCATORS_SHM_HEAP_H
#define ALLOCATORS_SHM_HEAP_H

#include <pthread.h>

#include "allocators/shm/space.h"

struct shm_heap {
    struct space
        space; /* first: its parts' places count from here; memory from `fresh` on is zero */
    char magic[8];
    uint32_t version;
    uint32_t lock_bytes; /* of the lock, which another C library might lay out otherwise */
    uint64_t id;         /* of this heap among all; never 0 */
    uint64_t data_at;    /* bytes from here to the objects' space */
    uint64_t repairs;    /* after deaths */
    pthread_mutex_t lock;
};

/* Fills everything that follows from the bytes that the objects' space may grow to (a multiple of
 * 8, at most 512 GiB); returns the bytes of the whole stretch. A plan may lie anywhere. */
size_t shm_heap_plan(struct shm_heap *plan, uint64_t capacity);

/* The stretches of memory that a heap uses whose objects' space has `size` bytes: 0 the head, then
 * one a large part of the bookkeeping, last the objects' space. *at counts from the start, a
 * multiple of the page; the returned bytes are 0 where a part lies in the head. */
enum { SHM_HEAP_STRETCHES = 1 + SPACE_PARTS + 1 };
size_t shm_heap_stretch(const struct shm_heap *plan, unsigned stretch, uint64_t size, size_t *at);

/* Makes a heap of `size` bytes in zeroed memory, of which its stretches may be used. 0 or -errno
 * (of the lock). The magic is written last: before, this is no heap. */
int shm_heap_init(struct shm_heap *heap, uint64_t capacity, uint64_t size);

/* Whether this head is that of a heap of this kind and version, consistent in itself. */
bool shm_heap_is_valid(const struct shm_heap *heap);

static inline char *shm_heap_data(const struct shm_heap *heap)
{
    return (char *)((uintptr_t)heap + heap->data_at);
}

/* Bytes of the objects' space now. */
static inline uint64_t shm_heap_size(const struct shm_heap *heap)
{
    return __atomic_load_n(&heap->space.units, __ATOMIC_ACQUIRE) * SPACE_UNIT;
}

/* Takes the lock; if its last holder died with it, the heap is repaired first. Nobody waits for
 * ever: where a waiter that was woken is killed before it takes the lock, or a holder between its
 * release and the wake-up, another goes on at most 10 ms after the lock is free. False when the
 * lock itself is damaged. */
bool shm_heap_lock(struct shm_heap *heap);
void shm_heap_unlock(struct shm_heap *heap);

/* ---- with the lock held ---------------------------------------------------------------------- */

/* Units that an object of `size` bytes takes with its bookkeeping, together a multiple of `align`.
 * 0 when there can be none of that size. */
static inline uint64_t shm_heap_units(size_t size, size_t align)
{
    if (size == 0 || size > SPACE_CAPACITY_MAX * SPACE_UNIT)
        return 0;
    return (size + SPACE_UNIT + align - 1) / align * (align / SPACE_UNIT);
}

/* What stands in the first unit of a live block: no other block's, and hardly a program's data. */
static inline uint64_t shm_heap_seal(const struct shm_heap *heap, uint64_t at)
{
    return heap->id ^ (at + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint64_t *shm_heap_unit(const struct shm_heap *heap, uint64_t at)
{
    return (uint64_t *)(void *)shm_heap_data(heap) + at;
}

/* A new object: its offset, or 0 when there is no room (the space may be extended). */
static inline uint64_t shm_heap_take(struct shm_heap *heap, uint64_t units)
{
    uint64_t at = space_alloc(&heap->space, units);
    if (at == SPACE_NONE)
        return 0;
    *shm_heap_unit(heap, at) = shm_heap_seal(heap, at);
    return (at + 1) * SPACE_UNIT;
}

/* `offset` may be anything: whether a live object begins there. */
bool shm_heap_is_live(const struct shm_heap *heap, uint64_t offset);

/* Before the lock is taken: the object is about to be freed. */
static inline void shm_heap_give_soon(const struct shm_heap *heap, uint64_t offset)
{
    space_free_soon(&heap->space, offset / SPACE_UNIT - 1);
}

/* Frees a live object. False: done, but the bookkeeping before it had been overwritten. */
static inline bool shm_heap_give(struct shm_heap *heap, uint64_t offset)
{
    uint64_t at = offset / SPACE_UNIT - 1;
    bool sealed = *shm_heap_unit(heap, at) == shm_heap_seal(heap, at);
    space_free(&heap->space, at);
    return sealed;
}

/* Makes a live object shorter or, if what follows it allows, longer. False: as it was. */
bool shm_heap_resize(struct shm_heap *heap, uint64_t offset, uint64_t units);

/* Frees the first `skip` bytes (a multiple of 8) of a live object and what is left beyond `units`
 * after them; returns the offset of what stays, before which is its bookkeeping. */
uint64_t shm_heap_trim(struct shm_heap *heap, uint64_t offset, size_t skip, uint64_t units);

/* Bytes that a live object can hold. */
size_t shm_heap_usable(const struct shm_heap *heap, uint64_t offset);

/* NULL, or what is wrong with the bookkeeping. After a repair seals say nothing: who died may not
 * have come to seal what it had taken. */
const char *shm_heap_flaw(const struct shm_heap *heap);

#endif
