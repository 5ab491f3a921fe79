/* What a run replays: trace files, workloads that are generated for it, standard input. */
#ifndef HARNESS_LOADS_H
#define HARNESS_LOADS_H

#include <stddef.h>

#include "harness/base/err.h"
#include "harness/plan.h"

struct loads {
    const char *folder;      /* the run's: what is generated or read once is kept there; borrowed */
    const unsigned *threads; /* numbers asked for; borrowed */
    size_t thread_counts;    /* of them; below 2: plan->threads counts */
};

/* Adds what `name` names to the plan, once or once for each number of threads. Numbers beyond those
 * of a trace come to the most it has, which is told on stderr. */
int loads_add(struct plan *plan, const struct loads *loads, const char *name, struct err *err);

#endif
