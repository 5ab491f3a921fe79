/* The harness's own memory, never the allocator's under test.
 *
 * It is mapped shared and anonymous: so it stays out of every "writable private" figure of
 * /proc/self/smaps by its kind, and `RSS minus shared` leaves it out too. Touched on mapping, so
 * that no fault of ours falls into a timed region. */
#ifndef HARNESS_BASE_PAGES_H
#define HARNESS_BASE_PAGES_H

#include <stddef.h>

/* Zeroed, touched memory of at least `bytes` (rounded up to pages), or NULL with errno set.
 * Owned by the caller; released with pages_unmap and the same size. */
void *pages_map(size_t bytes);

/* The same, but touched only as it is used: for tables outside timed regions that may stay small.
 */
void *pages_map_lazy(size_t bytes);

/* Zeroed private memory, for what a forked child must have a copy of its own of (a layer's heap).
 * It shows in the "writable private" figures: keep it small, or out of what is measured. */
void *pages_map_private(size_t bytes);

/* Zeroed private memory, in huge pages from 2 MiB on where the kernel gives them: for large tables
 * that are read at random, in processes that measure nothing. */
void *pages_map_huge(size_t bytes);

/* Zeroed, touched private memory in huge pages where the kernel gives them: a tenth of the time
 * that shared pages take. For a process whose own resident memory is taken off before it measures.
 */
void *pages_map_quick(size_t bytes);

void pages_unmap(void *pages, size_t bytes);

#endif
