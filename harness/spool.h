/* Standard input as a trace that cells can open again and again: kept in the run's own folder, so
 * that a run can be resumed. */
#ifndef HARNESS_SPOOL_H
#define HARNESS_SPOOL_H

#include <stddef.h>

#include "harness/base/err.h"

/* Creates `folder` with its parents, and folder/traces, as far as they are missing. */
int spool_make_folder(const char *folder, struct err *err);

/* Copies standard input to folder/traces/stdin.trace and puts that path into `path`. */
int spool_standard_input(const char *folder, char *path, size_t length, struct err *err);

#endif
