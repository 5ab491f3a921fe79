/* What stands beside cells.jsonl, read back. */
#ifndef RESULTS_SERIES_H
#define RESULTS_SERIES_H

#include <stddef.h>

#include "harness/base/err.h"
#include "results/cell.h"
#include "results/store.h"

/* The samples of a memory cell. Owned by the caller (free); NULL and a count of 0 when there is no
 * such file. Columns are found by their names; an empty or missing one is unknown. */
struct cell_sample *series_read(const struct store *store, const struct cell_result *cell,
                                size_t *count);

/* One line of the percentile table of a latency cell. */
struct percentile {
    double value_ns;
    double share; /* 0…1 */
    double total; /* records up to it */
};
struct percentile *percentiles_read(const struct store *store, const struct cell_result *cell,
                                    size_t *count);

/* Opens folder/<kind>/<cell><ending> to read, NULL when it is not there. */
FILE *series_open(const struct store *store, const char *kind, const struct cell_result *cell,
                  const char *ending);

#endif
