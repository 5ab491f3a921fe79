/* A map of a heap, read back: heapmap/CELL.json, pagemap/CELL.MOMENT.json. */
#ifndef RESULTS_MAP_H
#define RESULTS_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "results/cell.h"
#include "results/store.h"

struct map_row {
    uint64_t address;
    size_t cells;
    float *live, *resident; /* shares of each cell's bytes; NaN is not known */
};

/* Over time a row is one stretch of addresses and its cells are moments; of one moment a row is a
 * stretch of cells side by side. */
struct map {
    uint64_t bytes; /* address space of a cell */
    size_t rows;
    size_t columns;      /* of a map over time: cells of every row; else 0 */
    struct map_row *row; /* in order of address */
};

/* NULL when there is no such file or it is damaged. Released with map_free. */
struct map *map_read(const struct store *store, const char *kind, const struct cell_result *cell,
                     const char *ending);
void map_free(struct map *map);

#endif
