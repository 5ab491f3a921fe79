/* MeMS: a memory management system that hands out virtual addresses of its own.
 *
 * Memory comes from mmap in multiples of PAGE_SIZE. Each mapping is a node of the main chain; its
 * sub-chain holds the segments, PROCESS or HOLE, that tile it. A request takes the first hole that
 * is large enough, in main-chain and then sub-chain order, exactly its size, unaligned; else a new
 * mapping of ceil(size / PAGE_SIZE) pages. MeMS virtual addresses of successive mappings follow
 * each other whatever mmap returned. One system a process, one thread. Link with libheapbench.a.
 *
 * With the first address at 0 the first block is called (void *)0, as valid as any other: what
 * tells it from a failure is errno, which mems_malloc sets on failure and leaves alone on success.
 */
#ifndef MEMS_H
#define MEMS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

/* Bytes a page; any positive value, defined before this header or at compile time. */
#ifndef PAGE_SIZE
#define PAGE_SIZE 4096
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The MeMS virtual address of the first mapping after the next mems_init; 1000 if never set. */
void mems_set_start(uintptr_t start);

/* Begins an empty system with pages of `page_size` bytes. While one is running, or with a page size
 * of 0, nothing changes but one line on stderr. */
void mems_init_paged(size_t page_size);

/* mems_init_paged with the PAGE_SIZE of the program that includes this. */
static inline void mems_init(void)
{
    mems_init_paged(PAGE_SIZE);
}

/* Unmaps everything, live blocks or not; mems_init may follow. */
void mems_finish(void);

/* The MeMS virtual address of `size` bytes with what was there before, or NULL with errno set:
 * EINVAL for size 0 or without mems_init, ENOMEM when no memory or address is left. */
void *mems_malloc(size_t size);

/* Makes the block at `v_ptr` a hole, merged with the holes next to it in its mapping; contents
 * stay, nothing is unmapped. Any address that mems_malloc did not return, or that is free already,
 * changes nothing and is named in one line on stderr. */
void mems_free(void *v_ptr);

/* Prints every mapping with its segments, then the totals, to stdout:
 *   ----- MeMS SYSTEM STATS -----
 *   MAIN[1000:5095]-> P[1000:1999] <-> H[2000:5095] <-> NULL
 *   Pages used:	1
 *   Space unused:	3096
 *   Main Chain Length:	1
 *   Sub-chain Length array: [2, ]
 *   -----------------------------
 */
void mems_print_stats(void);

/* The MeMS physical address (what the processor can use) of any byte of a live block; NULL for an
 * address in a hole or outside every mapping. */
void *mems_get(void *v_ptr);

#ifdef __cplusplus
}
#endif

#endif
