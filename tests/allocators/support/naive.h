/* The placement policies as a textbook would write them: a list of free extents, searched from one
 * end to the other. What the real backends are held against; they share no line with it.
 *
 * An extent is counted in 16-byte granules from the heap's origin. */
#ifndef TESTS_NAIVE_H
#define TESTS_NAIVE_H

#include <stddef.h>

/* NAIVE_SHARED is first fit too, but its smallest extent is one granule, the others' two; and 8
 * bytes of each extent are a tag. */
enum naive_policy {
    NAIVE_FIRST,
    NAIVE_BEST,
    NAIVE_NEXT,
    NAIVE_WORST,
    NAIVE_BUDDY,
    NAIVE_SHARED,
};

struct extent {
    size_t start, size;
};

struct naive {
    enum naive_policy policy;
    size_t origin; /* the address of granule 0, divided by 16 */
    size_t top;    /* the first granule after the heap */
    size_t rover;  /* next fit */
    size_t grow;   /* buddy: granules to grow by at least */
    size_t least;  /* granules of the smallest extent; not for buddy */
    size_t tag;    /* bytes of each extent that are not its user's; not for buddy */
    size_t count, room;
    struct extent *free; /* by address; for buddy by time, the latest last */
};

void naive_init(struct naive *naive, enum naive_policy policy);
void naive_release(struct naive *naive);

/* Bytes as a program asks for them; `align` above 16. Memory is unlimited. */
struct extent naive_alloc(struct naive *naive, size_t bytes);
struct extent naive_alloc_aligned(struct naive *naive, size_t align, size_t bytes);
void naive_free(struct naive *naive, struct extent block);
struct extent naive_realloc(struct naive *naive, struct extent block, size_t bytes);

#endif
