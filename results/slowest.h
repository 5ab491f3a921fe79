/* The slowest calls of a run's latency cells, read back, and told as text. */
#ifndef RESULTS_SLOWEST_H
#define RESULTS_SLOWEST_H

#include <stdio.h>

#include "results/cell.h"
#include "results/store.h"

/* A line of latency/CELL.worst.csv; UINT64_MAX where it has none. */
struct slowest_call {
    uint64_t latency_ns;
    uint64_t event;
    uint64_t thread;
    char operation[16];
    uint64_t size;
    uint64_t switches;
    uint64_t again_ns;
    uint64_t page_faults;
    uint64_t system_calls;
    char system_call_names[128];
    char cause[40];
    char core[8]; /* whether its thread kept it, "" where that is not told */
};

enum { SLOWEST_MOST = 64 };

/* Returns how many there are, the slowest first; 0 without the file. */
size_t slowest_read(const struct store *store, const struct cell_result *cell,
                    struct slowest_call calls[SLOWEST_MOST]);

/* The first latency cell of an allocator over a trace that has come to its end, NULL without one.
 */
const struct cell_result *slowest_cell(const struct store *store, const char *allocator,
                                       const char *trace);

/* For each trace and allocator the slowest calls that were slow of themselves, and how many were
 * disturbed; nothing where the run has no such cells. */
void slowest_print(FILE *out, const struct store *store);

#endif
