/* Run folders made by hand, so that every figure expected of them is known. */
#ifndef TESTS_RESULTS_SUPPORT_RUN_H
#define TESTS_RESULTS_SUPPORT_RUN_H

#include "results/store.h"

enum { RUN_FOLDER = 96 };

/* A new run in a new folder below /tmp: allocators "null" (not real), then those named ("bump" never frees), one trace
 * "perl", passes throughput, latency and memory, `repeat` repetitions. `allocators` ends with NULL.
 */
struct store *run_begin(char folder[RUN_FOLDER], const char *const *allocators, int repeat);

/* Closes the store and deletes the folder. */
void run_end(struct store *store, const char *folder);

/* A cell of trace "perl" whose status is ok and in which nothing was measured. */
struct cell_result run_cell(const char *allocator, const char *pass, uint64_t repetition);

/* A throughput cell a value. */
void run_throughput(struct store *store, const char *allocator, const double *ns_per_op,
                    size_t count);

void run_append(struct store *store, const struct cell_result *cell);

#endif
