/* The censuses of a cell as JSON, for census/CELL.json. */
#ifndef HARNESS_CENSUS_JSON_H
#define HARNESS_CENSUS_JSON_H

#include <jansson.h>

#include "harness/measure/census.h"

/* A new object {"moments": [...]} of those that were taken of CENSUS_MOMENTS at `census`. */
json_t *census_json(const struct census *census);

#endif
