/* The files that go with a cell: series, maps, censuses, latency tables. Written by bench, never by
 * the worker. */
#ifndef HARNESS_ARTEFACTS_H
#define HARNESS_ARTEFACTS_H

#include "harness/measure/area.h"
#include "results/store.h"

/* latency/CELL.hgrm (all operations), latency/CELL.csv (by operation and size class),
 * latency/CELL.worst.csv (the slowest calls), and the percentiles of *result. */
int artefacts_latency(struct store *store, const struct latency_area *area,
                      struct cell_result *result, struct err *err);

/* series/CELL.csv, and heapmap and census/CELL.json, pagemap/CELL.MOMENT.json. */
int artefacts_memory(struct store *store, const struct memory_area *area,
                     const struct cell_result *result, struct err *err);

#endif
