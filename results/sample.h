/* One figure of one allocator on one trace, over the repetitions. */
#ifndef RESULTS_SAMPLE_H
#define RESULTS_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/statistics.h"
#include "results/store.h"

struct sample {
    double *values;        /* owned, in the order of their repetitions */
    uint64_t *repetitions; /* owned */
    size_t count;
};

/* Takes `figure` (a name among cell_fields) from every cell of that pass whose status is ok and
 * which measured it. */
void sample_collect(struct sample *sample, const struct store *store, const char *allocator,
                    const char *trace, const char *pass, const char *figure);
void sample_release(struct sample *sample);

/* a over b. Paired: both from one run, whose repetitions are the blocks; those that only one side
 * finished are left out. */
struct interval sample_ratio(const struct sample *a, const struct sample *b, bool paired,
                             uint64_t seed);

#endif
