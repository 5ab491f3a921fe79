/* Two runs, or two allocators, against each other: which figures differ, and by how much. */
#ifndef RESULTS_COMPARE_H
#define RESULTS_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "results/statistics.h"
#include "results/store.h"

/* One side: a run, or one allocator of it. */
struct compare_side {
    const struct store *store;
    const char *allocator; /* NULL: all of them */
};

enum compare_verdict {
    COMPARE_UNKNOWN, /* measured once on one side: no interval, so nothing can be shown */
    COMPARE_SAME,    /* the interval holds 1: no difference shown */
    COMPARE_LESS,    /* the new one is lower: better, for every figure there is */
    COMPARE_MORE,
};

struct comparison {
    const char *trace, *new_trace, *base_allocator, *new_allocator; /* borrowed from the stores */
    bool changed;          /* the trace's contents are not the same in both */
    const char *figure;    /* a name among cell_fields */
    bool gated;            /* one that a gate looks at; the others are only shown */
    double base, new;      /* medians */
    struct interval ratio; /* new over base */
    enum compare_verdict verdict;
};

/* What base has and new lost: a sentence each, owned. */
struct comparisons {
    struct comparison *list; /* owned, by trace, allocator, figure */
    size_t count;
    char **lost; /* owned */
    size_t lost_count;
};

/* Compares every trace and allocator that both sides know, a trace under whatever name (with an
 * allocator on each side, those two). -EINVAL with a sentence when they have nothing in common. */
int compare_sides(struct comparisons *out, struct compare_side base, struct compare_side new,
                  struct err *err);
void compare_release(struct comparisons *comparisons);

/* A gate: how many gated figures got worse by more than `threshold` (0.05: 5 %), their interval
 * excluding 1. */
size_t compare_failures(const struct comparisons *comparisons, double threshold);
bool compare_can_fail(const struct comparisons *comparisons); /* any gated figure has an interval */

/* As a table a trace; those that fail the gate are marked (a negative threshold: no gate). */
void compare_print(FILE *out, const struct comparisons *comparisons, double threshold);

#endif
