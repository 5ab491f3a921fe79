/* Latency in numbers, for the report: by operation and size class, and the slowest calls. */
#ifndef PLOTS_LATENCY_TABLES_H
#define PLOTS_LATENCY_TABLES_H

#include <stddef.h>
#include <stdio.h>

#include "results/record.h"
#include "results/store.h"

/* Folded away, one part an allocator of the rows, which are of one trace. Nothing where none has a
 * latency cell. */
void latency_tables(FILE *out, const struct store *store, const struct row *rows, size_t count);

#endif
