/* Latency by operation and size class: latency/CELL.csv read back. */
#ifndef RESULTS_LATENCY_CLASSES_H
#define RESULTS_LATENCY_CLASSES_H

#include <stddef.h>
#include <stdint.h>

#include "results/cell.h"
#include "results/store.h"

/* What is told of the calls of a class, the clock's cost included; NaN where nothing lies beyond.
 */
enum latency_figure {
    LATENCY_P50,
    LATENCY_P90,
    LATENCY_P99,
    LATENCY_P999,
    LATENCY_P9999,
    LATENCY_P99999,
    LATENCY_MAX,
    LATENCY_FIGURES
};

struct latency_class {
    char operation[16];
    uint64_t up_to; /* its largest size; UINT64_MAX of the last class */
    uint64_t count; /* of calls */
    double ns[LATENCY_FIGURES];
};

enum { LATENCY_CLASSES_MOST = 64 };

/* Returns how many there are, in the file's order; 0 without the file. Columns are found by their
 * names. */
size_t latency_classes_read(const struct store *store, const struct cell_result *cell,
                            struct latency_class classes[LATENCY_CLASSES_MOST]);

#endif
