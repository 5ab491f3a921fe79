/* A run folder: append-only, readable by other tools, whole after kill -9.
 *
 *   run.json              what was asked, the machine, the versions
 *   cells.jsonl           one line a finished cell, appended and synced
 *   series/CELL.csv       samples along the trace (memory pass)
 *   latency/CELL.hgrm     percentile tables (latency pass)
 *   heapmap/CELL.json     live and resident shares by address and time (memory pass)
 *   traces/TRACE.json     the trace's statistics, so that figures need no trace
 *
 * CELL is store_cell_name(): safe in any shell, path or script. */
#ifndef RESULTS_STORE_H
#define RESULTS_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "harness/base/err.h"
#include "results/record.h"

struct store;

/* Creates the folder (it must not hold a run already) and writes run.json, taking no reference. */
int store_create(struct store **out, const char *folder, json_t *run, struct err *err);

/* Opens an existing run to read or to resume. A last line cut by a crash is dropped with a warning
 * in store_warning() and is overwritten by the next append. */
int store_open(struct store **out, const char *folder, bool append, struct err *err);
void store_close(struct store *store);

const char *store_folder(const struct store *store);
const json_t *store_run(const struct store *store);   /* borrowed */
const char *store_warning(const struct store *store); /* "" none */

/* Finished cells, in the order they were finished. Borrowed until the next append. */
size_t store_cell_count(const struct store *store);
const struct cell_result *store_cell(const struct store *store, size_t place);
bool store_has(const struct store *store, const char *allocator, const char *trace,
               const char *pass, uint64_t repetition);

/* Appends one line, in one write, and syncs. */
int store_append(struct store *store, const struct cell_result *cell, struct err *err);

/* "<trace>.<allocator>.<pass>.<repetition>" with [A-Za-z0-9._+=-] only; whatever else a spec holds
 * is replaced and a hash of the whole is added, so that two specs never share a name. */
enum { STORE_NAME = 200 };
const char *store_cell_name(char out[STORE_NAME], const struct cell_result *cell);
/* The same for a bare trace or allocator name. */
const char *store_slug(char out[STORE_NAME], const char *text);

/* Writes folder/<kind>/<name><ending> through a temporary name: whole or not there. */
FILE *store_begin_file(struct store *store, const char *kind, const char *name, const char *ending,
                       struct err *err);
int store_end_file(struct store *store, FILE *file, struct err *err);

#endif
