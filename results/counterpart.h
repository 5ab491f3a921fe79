/* Which trace of another run is this one. */
#ifndef RESULTS_COUNTERPART_H
#define RESULTS_COUNTERPART_H

#include <stdbool.h>

#include "results/store.h"

/* What `other` calls the trace that `store` calls `trace`: the same, where it knows the name; else
 * the name of one with the same contents (by the checksum), replayed by as many threads, that
 * `store` does not know by that name. NULL if there is none. Borrowed from `other`. */
const char *counterpart_find(const struct store *store, const char *trace,
                             const struct store *other);

/* Whether both runs tell the contents, and they are different. */
bool counterpart_differs(const struct store *store, const char *trace, const struct store *other,
                         const char *other_trace);

#endif
