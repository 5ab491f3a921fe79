/* How well the replay foretold the real program: from the cells of a run that holds both.
 *
 * The heap of the real program is what /proc/PID/smaps shows resident in mappings like an
 * allocator's, at its peak (harness/watch.h); that of the replay is P as everywhere: the peak of
 * RSS less what was resident before the first event. */
#ifndef RESULTS_FIDELITY_H
#define RESULTS_FIDELITY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "results/record.h"
#include "results/store.h"

/* The passes of the real program's cells. */
#define FIDELITY_PROGRAM "program"
#define FIDELITY_WATCH "watch"
#define FIDELITY_UNTOUCHED                                                                         \
    "untouched" /* one, filed under the first allocator: large blocks apart */

/* Further replays where the error is to be explained: at the program's pace, and with nothing
 * written but the first byte of each block. */
#define FIDELITY_PACED "paced"
#define FIDELITY_BARE "bare"

/* Allocators whose heaps differ by less are not put in an order, and an error up to that is none to
 * be explained. */
#define FIDELITY_DIFFERENCE 0.05
#define FIDELITY_ERROR 0.10

/* Pairs of allocators that really differ, and how many of them the replay put in the same order. */
struct fidelity_order {
    size_t pairs, same;
    char wrong[400]; /* the others: "a before b, c before d" as they really are */
};

struct fidelity {
    struct fidelity_row *rows; /* owned; in the order in which the allocators were asked for */
    size_t count;
    struct fidelity_order
        memory;                 /* by the heap's peak, where that differs by FIDELITY_DIFFERENCE */
    struct fidelity_order time; /* by processor time, where the medians differ by as much and no run
                                   of one lies among those of the other */
};

/* Whether the row's error is to be explained. */
bool fidelity_is_off(const struct fidelity_row *row);

/* Fills `why`, from the row's other figures. */
void fidelity_explain(struct fidelity_row *row);

/* Whether the run holds the real program of that trace at all. */
bool fidelity_is_asked(const struct store *store, const char *trace);

struct fidelity fidelity_of(const struct store *store, const char *trace);
void fidelity_release(struct fidelity *fidelity);

/* {"rows": […], "orders": {"memory": {"pairs", "same"}, "time": …}}, a new object. */
json_t *fidelity_json(const struct fidelity *fidelity);

void fidelity_print(FILE *out, const struct fidelity *fidelity);

#endif
