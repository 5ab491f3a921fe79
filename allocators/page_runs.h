/* Runs of whole pages out of a region: taken best-effort first, merged when given back.
 *
 * A table beside the pages (32 bytes a page) says of each run's first and last page what it is.
 * Free runs are `dirty` (still committed) or `clean` (back with the system); each kind is merged
 * with neighbours of its kind and binned by length: exact up to 32 pages, then four bins a
 * doubling, found through one bitmap. A long run that is freed goes back to the system when there
 * are dirty pages enough; what goes back is bounded by what was taken, since taking it again costs
 * time. Nothing here takes time in proportion to the number of runs. */
#ifndef ALLOCATORS_PAGE_RUNS_H
#define ALLOCATORS_PAGE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocators/region.h"

enum { RUN_PAGE_LOG2 = 12, RUN_PAGE = 1 << RUN_PAGE_LOG2, RUN_BINS = 128 };

enum run_kind {
    RUN_NONE,  /* inside a run, or never used */
    RUN_DIRTY, /* free, committed */
    RUN_CLEAN, /* free, given back */
    RUN_USED,  /* taken; the owner may use kinds above this one for its own marks */
    RUN_OWNER, /* the first of those */
};

struct run_page {
    uint32_t pages;      /* first and last page of a run: its length */
    uint32_t next, prev; /* free runs: in the bin, page numbers, 0 ends; else the owner's */
    uint8_t kind;        /* enum run_kind */
    uint8_t owner[3];    /* the owner's, of taken runs */
    uint64_t bits[2];    /* likewise */
};

struct run_bins {
    uint64_t map[RUN_BINS / 64];
    uint32_t head[RUN_BINS];
};

struct page_runs {
    struct region *region;   /* borrowed */
    struct run_page *page;   /* the table, by page number */
    char *base;              /* of page 0, which is never handed out */
    uint32_t limit;          /* pages there can be */
    uint32_t top;            /* pages below have been handed out at some time */
    uint32_t frontier;       /* pages from top to here are committed, zero and in no bin */
    uint32_t filled;         /* pages below are filled, or left to their first touch */
    size_t table_bytes;      /* of the table, committed */
    size_t taken, dirty;     /* pages */
    size_t credit;           /* pages that may go back before more are taken */
    struct run_bins bins[2]; /* of dirty and of clean runs */
};

/* Manages what of the region lies behind `offset` (whole pages). 0 or -ENOMEM with nothing
 * committed. The region's pages must be of RUN_PAGE bytes or fewer: they are. */
int page_runs_init(struct page_runs *runs, struct region *region, size_t offset);

/* The first page of a run of `pages` > 0, marked RUN_USED at both ends; 0: no memory. */
uint32_t page_runs_take(struct page_runs *runs, size_t pages);

/* Gives a taken run back. */
void page_runs_give(struct page_runs *runs, uint32_t first);

/* Keeps the first `pages` (> 0, at most all) of a taken run. */
void page_runs_shorten(struct page_runs *runs, uint32_t first, size_t pages);

/* Gives the first `pages` of a taken run back, fewer than all; returns where it begins now. */
uint32_t page_runs_behead(struct page_runs *runs, uint32_t first, size_t pages);

/* Makes a taken run at least `pages` long without moving it, if what follows it is free. */
bool page_runs_extend(struct page_runs *runs, uint32_t first, size_t pages);

/* Gives dirty runs back to the system until at most `keep` pages are; returns the bytes. */
size_t page_runs_trim(struct page_runs *runs, size_t keep);

static inline char *page_runs_address(const struct page_runs *runs, uint32_t page)
{
    return runs->base + ((size_t)page << RUN_PAGE_LOG2);
}

/* The number of the page that `address` lies in; anything below 1 or at or above `top`, which
 * foreign addresses give too, is not ours. */
static inline size_t page_runs_number(const struct page_runs *runs, const void *address)
{
    return ((uintptr_t)address - (uintptr_t)runs->base) >> RUN_PAGE_LOG2;
}

#endif
