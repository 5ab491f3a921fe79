/* The memory behind a shared heap's object. A page that is there when somebody writes to it is one
 * for which there can be no SIGBUS. */
#ifndef ALLOCATORS_SHM_BACKING_H
#define ALLOCATORS_SHM_BACKING_H

#include "allocators/shm/heap.h"

/* Takes from the system, for the object open as `file`, the pages that a space of `size` bytes uses
 * beyond those of one of `backed`, all of them: also of an object that may never be written whole,
 * for it may be. False, errno set, when it has not that much: then it has them back. Nothing beyond
 * `backed` may be in use. */
bool shm_backing_take(int file, const struct shm_heap *plan, uint64_t backed, uint64_t size);

#endif
