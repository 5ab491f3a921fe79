/* Makes traces of patterns instead of programs: the field's stress tests, adversaries, and steady
 * states of size profiles. Integer arithmetic and a seeded generator of numbers: the stream of
 * events is the same on any machine. */
#ifndef WORKLOADS_GENERATE_H
#define WORKLOADS_GENERATE_H

#include <stdbool.h>

#include "harness/base/err.h"
#include "harness/base/options.h"

struct generation;

struct generator {
    const char *name;
    const char *summary;
    const struct option_row *options;

    /* Makes all events (generation.h). 0 or -errno with a sentence of its own; what adding an event
     * met is kept in the generation. */
    int (*run)(struct generation *to, const union option_value *options, struct err *err);
};

/* NULL ends the list; in the order of generate/list.h. */
extern const struct generator *const generators[];

/* Generates `workload` ("name" or "name:option=value,option=value") into a trace at `path`. The
 * sentence of a failure names the nearest workload or option. */
int generate(const char *workload, const char *path, struct err *err);

/* Whether the workload has an option for its threads that is not set in it. */
bool generate_takes_threads(const char *workload);

#endif
