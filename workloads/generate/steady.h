/* The steady state of a size profile, for the generator and for the import of such files. */
#ifndef WORKLOADS_GENERATE_STEADY_H
#define WORKLOADS_GENERATE_STEADY_H

#include <stdio.h>

#include "workloads/generate/generation.h"

struct profile_amount {
    uint64_t percent; /* of the profile's live counts */
    uint64_t events;  /* operations after the ramp */
    uint64_t seed;
};

/* Reads rows of size, alloc_rate, live_count from `file`, which `name` names in sentences. */
int profile_generate(struct generation *to, FILE *file, const char *name,
                     const struct profile_amount *amount, struct err *err);

#endif
