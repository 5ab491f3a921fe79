/* A trace's statistics as JSON: what a run keeps so that its figures can be drawn without the
 * trace. */
#ifndef HARNESS_PROFILE_H
#define HARNESS_PROFILE_H

#include <jansson.h>

#include "harness/base/err.h"
#include "results/store.h"

/* Reads the trace to its end, so a damaged block is found before anything is measured. A new object
 * in *out: the summary's figures by name; "sizes" [{"size", "count", "bytes"}], "lifetimes"
 * [{"operations", "count"}], both by lower bound of the bin; "lifetimes_by_size" [{"size",
 * "operations", "count", "bytes"}], by powers of two; "never_freed". */
int profile_read(const char *trace_path, json_t **out, struct err *err);

/* Writes it to traces/<name>.json of the run. */
int profile_write(struct store *store, const char *name, const json_t *profile, struct err *err);

#endif
