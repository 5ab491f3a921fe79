/* The heap map: how much of each stretch of address space was live, over time.
 *
 * The address space is cut into chunks; only those that ever held a live byte are kept, so the gaps
 * between a heap's mappings take no room. When there are too many, neighbours are merged and the
 * chunks are twice as long. */
#ifndef HARNESS_MEASURE_HEAPMAP_H
#define HARNESS_MEASURE_HEAPMAP_H

#include <stddef.h>
#include <stdint.h>

enum {
    HEAPMAP_COLUMNS = 256,
    HEAPMAP_ROWS = 256,
    HEAPMAP_CHUNKS = 2048,
    HEAPMAP_CHUNK_LOG2 = 12, /* at first: a page */
};

struct heapmap {
    unsigned chunk_log2;
    uint32_t chunks;
    uint32_t columns;
    uint64_t address[HEAPMAP_CHUNKS];                /* of each chunk, in units of its length */
    uint64_t live[HEAPMAP_CHUNKS];                   /* bytes now */
    uint16_t slots[2 * HEAPMAP_CHUNKS];              /* hash table: a chunk's number + 1, 0 empty */
    uint64_t events[HEAPMAP_COLUMNS];                /* when each column was taken */
    uint64_t shown[HEAPMAP_COLUMNS][HEAPMAP_CHUNKS]; /* live bytes of each chunk then */
};

/* `map` is zeroed memory of the caller. */
void heapmap_init(struct heapmap *map);

/* A block of `bytes` at `address` is live from now on; or no longer. */
void heapmap_add(struct heapmap *map, uint64_t address, uint64_t bytes);
void heapmap_remove(struct heapmap *map, uint64_t address, uint64_t bytes);

/* Takes the next column; ignored when all are taken. */
void heapmap_column(struct heapmap *map, uint64_t event);

/* The chunks in order of address, gathered into at most HEAPMAP_ROWS rows of equally many. */
struct heapmap_rows {
    uint32_t rows;
    uint32_t chunks_a_row;
    uint16_t order[HEAPMAP_CHUNKS]; /* chunk numbers by address */
};
void heapmap_rows(const struct heapmap *map, struct heapmap_rows *rows);

/* The first address of a row, and the live share (0…1) of its bytes in a column. */
uint64_t heapmap_row_address(const struct heapmap *map, const struct heapmap_rows *rows,
                             uint32_t row);
double heapmap_live_share(const struct heapmap *map, const struct heapmap_rows *rows,
                          uint32_t column, uint32_t row);

#endif
