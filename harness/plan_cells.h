/* The cells of a plan, in the order in which they run. */
#ifndef HARNESS_PLAN_CELLS_H
#define HARNESS_PLAN_CELLS_H

#include <stddef.h>
#include <stdint.h>

#include "harness/plan.h"

struct plan_cell {
    uint32_t spec, trace, repetition;
    enum pass pass;
};

/* All cells in the order in which they run: a trace at a time; a repetition at a time, its
 * allocators shuffled anew; then the passes that run once. Owned by the caller (free). */
struct plan_cell *plan_cells(const struct plan *plan, size_t *count);

#endif
