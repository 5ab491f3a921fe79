/* pagemgr: a memory manager for one page of 4096 bytes.
 *
 * The page is private and anonymous, and every byte of it can be allocated: what is known about it
 * is kept elsewhere. Sizes are multiples of 8; a free chunk is split exactly and merged with both
 * neighbours. One manager a process, one thread. Link with libheapbench.a. */
#ifndef ALLOC_H
#define ALLOC_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef PAGESIZE
#define PAGESIZE 4096 /* bytes managed */
#endif
#ifndef MINALLOC
#define MINALLOC 8 /* every size is a multiple */
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Maps the page. 0, or non-zero when it cannot be mapped or is mapped already (then nothing
 * changes). */
int init_alloc(void);

/* Unmaps the page, live chunks or not. 0, or non-zero when there is none. */
int cleanup(void);

/* `size` bytes inside the page, with what was there before, or NULL: a size that is zero, negative
 * or no multiple of 8, no free chunk that large, or no page. */
char *alloc(int size);

/* Frees the whole chunk that alloc returned. Any other pointer (NULL, interior, foreign, freed
 * already) changes nothing and is named in one line on stderr. */
void dealloc(char *chunk);

/* Which of the free chunks that are large enough alloc takes. */
enum alloc_fit {
    ALLOC_FIRST_FIT, /* the lowest address; the policy of a process that sets none */
    ALLOC_BEST_FIT,  /* the smallest, the lowest of equals */
    ALLOC_WORST_FIT, /* the largest, the lowest of equals */
    ALLOC_NEXT_FIT /* the first at or after the end of the last allocation, round the page; if that
                      place is inside a free chunk by now, from where this begins */
};

/* From the next alloc on, also across cleanup and init_alloc. 0, or non-zero for no known policy.
 */
int alloc_set_fit(enum alloc_fit fit);

#ifdef __cplusplus
}
#endif

#endif
