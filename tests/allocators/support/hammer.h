/* Threads upon one heap: blocks change hands through slots, so that most are freed by another
 * thread than the one that allocated them. */
#ifndef TESTS_ALLOCATORS_HAMMER_H
#define TESTS_ALLOCATORS_HAMMER_H

#include "allocators/allocator.h"

/* How many blocks were refused or had changed; the calling thread created the heap, and allocates
 * alone where the heap's `threads` say so. */
int hammer_heap(struct heap *heap);

#endif
