/* mymalloc's placement as plainly as it can be told: one list of free chunks, one of those that
 * wait to be used again at once, one of free runs of pages, each by time and searched from the
 * latest.
 *
 * Granules of 16 bytes from page 0, which is never handed out; a payload begins 16 bytes behind its
 * granule. An extent's start is where the payload's would be without alignment. */
#ifndef TESTS_NAIVE_PAGES_H
#define TESTS_NAIVE_PAGES_H

#include <stdbool.h>
#include <stddef.h>

struct extent {
    size_t start, size;
};

/* Extents, the latest last. */
struct naive_list {
    struct extent *extents;
    size_t count, room;
};

struct naive_pages {
    struct naive_list free;     /* chunks inside pages */
    struct naive_list quick;    /* freed but not joined */
    struct naive_list runs[2];  /* in pages: committed, and given back */
    struct naive_list shifted;  /* pairs: an aligned block, and what it was made of */
    struct naive_list mappings; /* first page and pages, in use */
    size_t origin;              /* the granule number of a payload in granule 0 */
    size_t free_pages, taken, credit, top, frontier;
};

void naive_pages_init(struct naive_pages *heap);
void naive_pages_release(struct naive_pages *heap);

/* As in naive.h. */
struct extent naive_pages_alloc(struct naive_pages *heap, size_t bytes);
struct extent naive_pages_alloc_aligned(struct naive_pages *heap, size_t align, size_t bytes);
void naive_pages_free(struct naive_pages *heap, struct extent block);
struct extent naive_pages_realloc(struct naive_pages *heap, struct extent block, size_t bytes);

#endif
