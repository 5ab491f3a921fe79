/* Where the resident bytes of a heap went: parts that add up to its resident pages. */
#ifndef HARNESS_MEASURE_PARTS_H
#define HARNESS_MEASURE_PARTS_H

#include "harness/measure/page_view.h"

/* Bytes. The first seven add up to the resident pages of the heap. */
struct parts {
    uint64_t payload;            /* requested bytes of live blocks */
    uint64_t rounding;           /* further bytes that live blocks could hold: U - R */
    uint64_t free_in_live_pages; /* free bytes of pages on which a live block lies */
    uint64_t free_pages;         /* of pages on which blocks lay, and none does now */
    uint64_t unused_pages;       /* of pages on which no block ever lay */
    uint64_t lazy_free;          /* of pages without a block that the kernel may take back */
    uint64_t metadata;           /* of a heap that was walked; else in the four before */
    /* Not resident. */
    uint64_t touched_not_yet; /* requested bytes of live blocks on pages that are absent */
    uint64_t swapped;         /* pages */
    uint64_t returned;        /* absent pages on which blocks lay, and none does now */
    uint64_t reserved;        /* absent pages on which no block ever lay */
    /* Of the pages on which a live block lies and that are resident. */
    uint64_t live_pages;
    uint64_t sparse_pages; /* those of which less than a quarter is live */
};

/* A page is sparse below this share of live bytes. */
#define PARTS_SPARSE 0.25
bool parts_page_is_sparse(const struct page_view *page);

void parts_of(const struct heap_view *heap, struct parts *parts);
uint64_t parts_resident(const struct parts *parts);

#endif
