/* The heap page by page: what lies on each page of it, from the blocks and the pages' residency
 * alone. Pure: everything it works on is the caller's, read while the process was at rest. */
#ifndef HARNESS_MEASURE_PAGE_VIEW_H
#define HARNESS_MEASURE_PAGE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE_BYTES = 4096 };

enum page_state {
    PAGE_ABSENT,   /* no memory stands behind it, or the shared page of zeros */
    PAGE_SWAPPED,  /* its contents are in the swap */
    PAGE_RESIDENT, /* counts in the process's RSS */
};

/* A live block. */
struct view_block {
    uint64_t start;
    uint64_t size;   /* requested */
    uint64_t usable; /* at least that */
};

/* Pages that lie side by side in one mapping. */
struct view_stretch {
    uint64_t start; /* a multiple of PAGE_BYTES */
    size_t pages;
    const uint8_t *states; /* enum page_state, one a page; borrowed */
    uint64_t lazyfree;     /* bytes of it that the kernel may take back at any time */
};

/* Bytes that the heap's own walk calls free. */
struct view_free {
    uint64_t start, size;
};

/* All lists are in order of address; what they hold does not overlap. */
struct heap_view {
    const struct view_block *blocks;
    size_t block_count;
    const struct view_stretch *stretches;
    size_t stretch_count;
    bool walked; /* what is neither live nor free by the walk is metadata */
    const struct view_free *free;
    size_t free_count;
    const uint64_t *held; /* a bit a page that ever held a block, by page number; NULL: unknown */
    uint64_t held_pages;  /* how many of them the map knows */
};

struct page_view {
    uint64_t address;
    enum page_state state;
    uint32_t live;      /* requested bytes of live blocks on it */
    uint32_t rounding;  /* further usable bytes of live blocks */
    uint32_t metadata;  /* of a heap that was walked */
    uint32_t free;      /* what is left of it */
    bool held;          /* a block lies or lay on it */
    size_t first, last; /* the blocks on it: [first, last) */
    size_t stretch;
};

/* Calls `visit` for each page of each stretch, in order of address. */
typedef void page_visitor(void *arg, const struct page_view *page);
void page_views(const struct heap_view *heap, page_visitor *visit, void *arg);

#endif
