/* The placement policies as a textbook would write them: a list of free extents, searched from one
 * end to the other. What the real backends are held against; they share no line with it.
 *
 * An extent is counted in 16-byte granules from the heap's origin. */
#ifndef TESTS_NAIVE_H
#define TESTS_NAIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/allocators/support/naive_pages.h"

/* The smallest extent of the first four is of two granules, of the other ones of one. First fit
 * too are NAIVE_SHARED and, from the latest free extent to the oldest, NAIVE_OSTEP, both with 8
 * bytes of each extent for a tag; NAIVE_PAGEMGR; and NAIVE_MEMS, whose memory is mapped by pages
 * and neither joined across mappings nor returned. NAIVE_MYMALLOC is in naive_pages.h. */
enum naive_policy {
    NAIVE_FIRST,
    NAIVE_BEST,
    NAIVE_NEXT,
    NAIVE_WORST,
    NAIVE_BUDDY,
    NAIVE_SHARED,
    NAIVE_PAGEMGR,
    NAIVE_MEMS,
    NAIVE_OSTEP,
    NAIVE_MYMALLOC,
};

struct naive {
    enum naive_policy policy;
    size_t origin; /* the address of granule 0, divided by 16 */
    size_t top;    /* the first granule after the heap */
    size_t rover;  /* next fit */
    size_t grow;   /* buddy: granules to grow by at least */
    size_t least;  /* granules of the smallest extent; not for buddy */
    size_t tag;    /* bytes of each extent that are not its user's; not for buddy */
    size_t spare;  /* granules that an aligned block takes beyond what it needs at worst */
    size_t page;   /* mems: granules */
    size_t count, room;
    struct extent *free; /* by address; for buddy and ostep by time, the latest last */
    size_t borders;      /* mems: pages of which it is known */
    bool *border;        /* whether a mapping begins there */
    struct naive_pages pages;
};

void naive_init(struct naive *naive, enum naive_policy policy);
void naive_release(struct naive *naive);

/* Bytes as a program asks for them; `align` above 16. Memory is unlimited. */
struct extent naive_alloc(struct naive *naive, size_t bytes);
struct extent naive_alloc_aligned(struct naive *naive, size_t align, size_t bytes);
void naive_free(struct naive *naive, struct extent block);
struct extent naive_realloc(struct naive *naive, struct extent block, size_t bytes);

#endif
