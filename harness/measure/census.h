/* A census of the heap at one moment: what lies where, from the live blocks, the heap's mappings
 * and their resident pages alone, so that it is the same for every allocator. Bytes unless said.
 *
 * A hole is an extent between live blocks (their usable bytes) inside mappings that are held, of at
 * least CENSUS_HOLE bytes; mappings without a gap between them count as one. What is shorter is a
 * seam: headers and padding, in which no block could lie. A mapping without a live block has no
 * holes: from outside, free memory is not told from bookkeeping there. */
#ifndef HARNESS_MEASURE_CENSUS_H
#define HARNESS_MEASURE_CENSUS_H

#include <stdbool.h>

#include "harness/measure/holes.h"
#include "harness/measure/maps.h"

enum {
    CENSUS_HOLE = 16,
    CENSUS_PAGE = 4096,
    CENSUS_SHARES = 12, /* of a page: nothing live, up to a tenth … below all of it, all of it */
    CENSUS_CELLS = 16384, /* of a page map */
};

/* A live block. */
struct census_block {
    uint64_t address;
    uint64_t size;   /* requested */
    uint64_t usable; /* at least that */
};

/* Blocks of nearly the same usable size: one bin of profile_bin. */
struct census_class {
    uint64_t blocks;
    uint64_t requested, usable; /* their sums */
    uint64_t smallest, largest; /* usable sizes */
};

/* The moments at which one is taken. */
enum census_moment {
    CENSUS_QUARTER,
    CENSUS_HALF,
    CENSUS_THREE_QUARTERS,
    CENSUS_PEAK, /* of the live bytes */
    CENSUS_END,
    CENSUS_MOMENTS
};
extern const char *const census_moment_names[CENSUS_MOMENTS];

struct census {
    bool taken;
    uint64_t event; /* operations done */
    uint64_t blocks, live, usable;
    bool held_known;
    uint64_t held;
    struct holes holes;
    uint64_t seam_bytes;
    uint64_t empty_bytes; /* mappings without a live block: free, or bookkeeping */
    bool pages_known;
    uint64_t resident_pages;
    uint64_t resident_live;        /* live bytes on them */
    uint64_t pages[CENSUS_SHARES]; /* resident ones, by the live share of the page */
    uint64_t anonymous, huge;      /* of the process; UINT64_MAX unknown */
    bool walked;                   /* what the heap itself tells: */
    struct holes walk_holes;       /* its free blocks */
    uint64_t walk_meta; /* bookkeeping: META, and what blocks take beyond their usable bytes */
    struct census_class classes[PROFILE_BINS];
};

/* The page map: cells of equal length, those in which nothing is live or resident left out. When
 * there are too many, neighbours are merged. */
struct page_map {
    unsigned cell_log2;
    uint32_t cells;
    uint64_t address[CENSUS_CELLS]; /* in units of a cell's length, rising */
    uint64_t live[CENSUS_CELLS], resident[CENSUS_CELLS];
};

/* By address. `scratch` is as long as `blocks`. */
void census_sort(struct census_block *blocks, struct census_block *scratch, size_t count);

/* Counts the blocks, by size class too. */
void census_count(struct census *census, const struct census_block *blocks, size_t count);

/* The parts in order of address: the mappings that are held, and the resident stretches; each told
 * to one of these, which is begun with zeroes and ended when all has been told. Blocks are sorted.
 */
struct census_gaps {
    struct census *census;
    const struct census_block *blocks;
    size_t count, next;
    uint64_t start, end; /* the mapping under way */
};
void census_gaps_mapping(struct census_gaps *gaps, uint64_t start, uint64_t end);
void census_gaps_end(struct census_gaps *gaps);

struct census_pages {
    struct census *census;
    struct page_map *map; /* NULL: none is wanted */
    const struct census_block *blocks;
    size_t count, next;
    uint64_t done; /* all pages below */
};
void census_pages_resident(struct census_pages *pages, uint64_t start, uint64_t end);
void census_pages_end(struct census_pages *pages);

#endif
