/* Standard input or a pipe as a trace that cells can open again and again: kept in the run's own
 * folder, so that a run can be resumed. */
#ifndef HARNESS_SPOOL_H
#define HARNESS_SPOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/err.h"

/* Creates `folder` with its parents, and folder/traces, as far as they are missing. */
int spool_make_folder(const char *folder, struct err *err);

/* Whether a trace of that name can be read but once: "-" for standard input, or a pipe. */
bool spool_is_stream(const char *name);

/* Copies such a one to folder/traces/NAME.trace (stdin.trace) and puts that path into `path`. */
int spool_stream(const char *name, const char *folder, char *path, size_t length, struct err *err);

#endif
