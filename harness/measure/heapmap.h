/* The heap map: how much of each stretch of address space was live and resident, over time.
 *
 * The address space is cut into rows of equal length; only those that ever held a live byte or a
 * resident page are kept, so the gaps between a heap's mappings take no room. When there are too
 * many, neighbours are merged and the rows are twice as long. */
#ifndef HARNESS_MEASURE_HEAPMAP_H
#define HARNESS_MEASURE_HEAPMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HEAPMAP_COLUMNS = 256,
    HEAPMAP_ROWS = 256,
    HEAPMAP_ROW_LOG2 = 12, /* at first: a page */
};

/* Of one row, in bytes. */
struct heapmap_load {
    uint64_t live, resident;
};

struct heapmap {
    unsigned row_log2;
    uint32_t rows;
    uint32_t columns;
    uint64_t address[HEAPMAP_ROWS];         /* of each row, in units of its length */
    struct heapmap_load load[HEAPMAP_ROWS]; /* now */
    uint16_t slots[2 * HEAPMAP_ROWS];       /* hash table: a row's number + 1, 0 empty */
    uint64_t events[HEAPMAP_COLUMNS];       /* when each column was taken */
    bool residency_known[HEAPMAP_COLUMNS];
    struct heapmap_load shown[HEAPMAP_COLUMNS][HEAPMAP_ROWS]; /* then */
};

/* `map` is zeroed memory of the caller. */
void heapmap_init(struct heapmap *map);

/* A block of `bytes` at `address` is live from now on; or no longer. */
void heapmap_add(struct heapmap *map, uint64_t address, uint64_t bytes);
void heapmap_remove(struct heapmap *map, uint64_t address, uint64_t bytes);

/* [start, end) is resident in the next column; to be told anew before each. */
void heapmap_add_resident(struct heapmap *map, uint64_t start, uint64_t end);

/* Takes the next column; ignored when all are taken. `residency_known`: it was told. */
void heapmap_column(struct heapmap *map, uint64_t event, bool residency_known);

/* The rows' numbers in order of address. */
void heapmap_order(const struct heapmap *map, uint16_t order[HEAPMAP_ROWS]);

/* The first address of a row, and its length. */
uint64_t heapmap_row_address(const struct heapmap *map, uint32_t row);
uint64_t heapmap_row_bytes(const struct heapmap *map);

#endif
