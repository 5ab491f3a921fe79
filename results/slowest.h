/* The slowest calls of a run's latency cells, read back, and told as text. */
#ifndef RESULTS_SLOWEST_H
#define RESULTS_SLOWEST_H

#include <stdio.h>

#include "results/cell.h"
#include "results/store.h"

/* The first latency cell of an allocator over a trace that has come to its end, NULL without one.
 */
const struct cell_result *slowest_cell(const struct store *store, const char *allocator,
                                       const char *trace);

/* For each trace and allocator the slowest calls that were slow of themselves, and how many were
 * disturbed; nothing where the run has no such cells. */
void slowest_print(FILE *out, const struct store *store);

#endif
