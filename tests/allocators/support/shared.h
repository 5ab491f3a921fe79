/* Shared-memory heaps with names of their own, and what is inside them. */
#ifndef TESTS_ALLOCATORS_SHARED_H
#define TESTS_ALLOCATORS_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "allocators/api/shmheap.h"
#include "allocators/shm/object.h"

/* Where the first object lies, and what lies between two. */
enum { SHARED_FIRST = 16, SHARED_GAP = 8 };

/* A name that no object has; and the last one given out, which lasts until the next. */
const char *shared_fresh_name(void);
const char *shared_name(void);

size_t shared_offset(shmheap_memory_handle heap, const void *pointer);
struct shm_heap *shared_inside(shmheap_memory_handle heap);
void shared_assert_sound(shmheap_memory_handle heap);

/* Whether it is the handle of a failure. */
bool shared_is_nothing(shmheap_memory_handle heap);

/* Connects to shared_name() at some other address than the parent's, whatever the kernel would have
 * chosen: one for each number. */
shmheap_memory_handle shared_connect_elsewhere(unsigned number);

/* What the kernel keeps in the C library's lock. */
enum { SHARED_OWNER = 0x3fffffff, SHARED_OWNER_DIED = 0x40000000 };
#define SHARED_WAITERS 0x80000000
unsigned shared_lock_word(const struct shm_heap *heap);

/* Whether the last holder of the lock died with it. */
bool shared_died_inside(const struct shm_heap *heap);

/* The status with which a child ended. */
int shared_wait_for(pid_t child);

/* Objects that tell whether anyone else wrote into them. */
void words_fill(size_t *object, size_t words, size_t value);
bool words_are_filled(const size_t *object, size_t words, size_t value);

#endif
