/* The memory behind a shared heap's object. A page that is there when somebody writes to it is one
 * for which there can be no SIGBUS. */
#ifndef ALLOCATORS_SHM_BACKING_H
#define ALLOCATORS_SHM_BACKING_H

#include "allocators/shm/heap.h"

/* Takes from the system, for the object open as `file`, the pages that a space of `size` bytes uses
 * beyond those of one of `backed`: all; but of more than 64 MiB in one stretch, which is hardly
 * ever written whole, only the two ends. False, errno set, when it has not that much; what was
 * taken stays. May be repeated. */
bool shm_backing_take(int file, const struct shm_heap *plan, uint64_t backed, uint64_t size);

#endif
