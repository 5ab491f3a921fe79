/* The plan of a run as run.json holds it. */
#ifndef HARNESS_PLAN_JSON_H
#define HARNESS_PLAN_JSON_H

#include <jansson.h>

#include "harness/plan.h"

/* What run.json says of the plan, as members of `run`; and back, checking that the traces are still
 * what they were. */
void plan_write(const struct plan *plan, json_t *run);
int plan_read(struct plan *plan, const json_t *run, struct err *err);

#endif
