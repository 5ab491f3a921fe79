/* Where a trace comes from: the header of its file. */
#ifndef WORKLOADS_ORIGIN_H
#define WORKLOADS_ORIGIN_H

#include "harness/base/err.h"
#include "workloads/array.h"
#include "workloads/chunks.h"
#include "workloads/trace.h"

/* Reads the header, which the first chunk follows, into `text`; the origin's texts lie there. */
int origin_read(struct trace_origin *origin, struct array *text, struct chunks *chunks,
                struct err *err);

#endif
