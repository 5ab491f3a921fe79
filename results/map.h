/* A map of a heap, read back: heapmap/CELL.json and files of the same form. */
#ifndef RESULTS_MAP_H
#define RESULTS_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "results/cell.h"
#include "results/store.h"

struct map_row {
    uint64_t address;
    float *live, *resident; /* shares of the cell's bytes, one a column; NaN is not known */
};

struct map {
    uint64_t bytes; /* address space of a cell */
    size_t rows;
    size_t columns;
    uint64_t *events;    /* one a column */
    struct map_row *row; /* in order of address */
};

/* NULL when there is no such file or it is damaged. Released with map_free. */
struct map *map_read(const struct store *store, const char *kind, const struct cell_result *cell);
void map_free(struct map *map);

#endif
