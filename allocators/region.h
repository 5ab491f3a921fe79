/* The only way to memory for a backend: one reserved stretch of address space, committed in parts.
 *
 * Preconditions, stated once: Linux, 4 KiB pages or a multiple; offsets and lengths are multiples
 * of region_page(); a region belongs to one heap and its calls are serialised by that heap.
 * Everything a backend holds is inside, so the account is exact. */
#ifndef ALLOCATORS_REGION_H
#define ALLOCATORS_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"

struct region {
    char *base;            /* page aligned; never moves */
    size_t reserved;       /* bytes of address space */
    size_t committed;      /* bytes readable and writable now: what the heap holds */
    size_t committed_peak; /* the most `committed` has been */
    size_t limit;          /* commit fails above this many bytes; SIZE_MAX: no limit */
    uint64_t calls;        /* system calls made */
    unsigned huge_debt;    /* what slow huge pages cost, less what quick ones gained since */
};

size_t region_page(void);

/* Reserves `bytes` (rounded up to pages) without access rights; nothing is committed. */
int region_init(struct region *region, size_t bytes, struct err *err);

/* Unmaps all of it. */
void region_release(struct region *region);

/* Makes [offset, offset + bytes), none of it committed, readable, writable and zero. 0 or -ENOMEM.
 */
int region_commit(struct region *region, size_t offset, size_t bytes);

/* Gives [offset, offset + bytes), all of it committed, back: no access, contents gone, not held. */
void region_decommit(struct region *region, size_t offset, size_t bytes);

/* The same, but what is given back can be read, as zero. Committed again it can be written too. */
void region_retire(struct region *region, size_t offset, size_t bytes);

/* Drops the contents of committed pages; they stay held and read as zero. For holes too many or too
 * small to decommit (each decommitted hole costs the kernel a mapping of its own). */
void region_discard(struct region *region, size_t offset, size_t bytes);

/* A huge page, in bytes, and where the first one that begins at or behind `offset` does. */
#define REGION_HUGE ((size_t)2 << 20)
size_t region_huge_from(const struct region *region, size_t offset);

/* Whether huge pages are worth it: filling one takes a sixth of the time that the faults of its
 * small pages do, but several times as long where it comes from memory that a virtual machine has
 * returned to its host. After two of those in a row there are no more. */
bool region_likes_huge(const struct region *region);

/* The first touch of each huge page in [offset, offset + bytes) fills it, as long as that is so. */
void region_prefer_huge(struct region *region, size_t offset, size_t bytes);

/* Fills the huge pages in [offset, offset + bytes), all of it committed and about to be used, where
 * the kernel gives them to those who ask and as long as they are worth it. */
void region_fill_huge(struct region *region, size_t offset, size_t bytes);

/* A conventional size to reserve: 64 GiB, address space only. */
#define REGION_DEFAULT ((size_t)64 << 30)

/* That, or under a limit on the address space (ulimit -v) the largest half, quarter, ... of it that
 * is at most half of the limit, so that as much is left to the program. */
size_t region_default(void);

#endif
