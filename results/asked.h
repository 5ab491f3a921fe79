/* What a run was asked for, read from its run.json. All texts are borrowed from the store. */
#ifndef RESULTS_ASKED_H
#define RESULTS_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/store.h"

/* Allocators and traces in the order they were asked for; then any that only the cells know. Both
 * lists are NULL-terminated; the caller frees the list, not the names. */
const char **asked_allocators(const struct store *store);
const char **asked_traces(const struct store *store);

/* False for what only shows the floor of the harness or is not for timing. */
bool asked_is_real(const struct store *store, const char *allocator);

/* False for what never gives memory back. */
bool asked_frees(const struct store *store, const char *allocator);

/* True for what refuses allocations on purpose. */
bool asked_refuses(const struct store *store, const char *allocator);

/* The entry of `traces` in run.json whose name is that, NULL if none. */
const json_t *asked_trace(const struct store *store, const char *trace);

/* Whether `pass` was asked for, and how many cells of it an allocator and trace have. */
uint64_t asked_repetitions(const struct store *store, const char *pass);

/* The limit of a cell's memory, 0 for none. */
uint64_t asked_memory_limit(const struct store *store);

/* The seed of every resampling of this run. */
uint64_t asked_seed(const struct store *store);

#endif
