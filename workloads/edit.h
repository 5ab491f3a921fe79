/* Other traces from traces, streaming: memory grows with the live objects alone.
 *
 * A damaged source is used as far as it is whole; the result is then finished, and the error names
 * the damage. `from` and `to` are paths, "-" standard input and output. */
#ifndef WORKLOADS_EDIT_H
#define WORKLOADS_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"

struct edit_cut {
    uint64_t first, end;          /* events [first, end); end UINT64_MAX: to the last */
    uint64_t after_ns, before_ns; /* and times [after, before); UINT64_MAX: to the last */
    const uint32_t *threads;      /* objects that these threads allocate; borrowed */
    size_t thread_count;          /* 0: all threads */
};

/* A stretch of a trace. What lives at its beginning is allocated first, in the order in which it
 * was; objects belong to the thread that allocates them, and all that happens to them is kept. */
int edit_cut(const char *from, const char *to, const struct edit_cut *cut, struct err *err);

/* So many copies at once, in step, each with threads and objects of its own. */
int edit_scale(const char *from, const char *to, uint32_t copies, struct err *err);

/* Several traces as one program: by time where all have times, else each at an even pace. */
int edit_merge(const char *const *from, size_t count, const char *to, struct err *err);

struct edit_anonymize {
    uint64_t size_step; /* sizes are rounded up to multiples; 0, 1: kept */
    uint64_t time_step; /* ns, rounded down; 0, 1: kept */
};

/* Without program, arguments, host, date, call sites' and phases' names. */
int edit_anonymize(const char *from, const char *to, const struct edit_anonymize *how,
                   struct err *err);

#endif
