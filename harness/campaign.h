/* A plan carried out into a store: what `bench run` does, for whoever has a plan. */
#ifndef HARNESS_CAMPAIGN_H
#define HARNESS_CAMPAIGN_H

#include <jansson.h>
#include <stddef.h>

#include "harness/base/err.h"
#include "harness/plan_cells.h"
#include "results/store.h"

/* "results/<time>-<name>", the name being that of a trace's file or of a program. */
void campaign_folder(char *folder, size_t length, const char *name);

/* What run.json says: command, version, start, machine, plan. A new object. */
json_t *campaign_describe(const struct plan *plan, int argc, char **argv);

/* A cell of the plan, spelt out. */
struct cell campaign_cell(const struct plan *plan, const struct plan_cell *at);

/* Measures all cells of the plan that the store does not have yet, with progress on stderr. 0,
 * -EINTR once *interrupted is true, or another -errno when going on makes no sense. */
int campaign_measure(const struct plan *plan, struct store *store, const volatile int *interrupted,
                     struct err *err);

#endif
