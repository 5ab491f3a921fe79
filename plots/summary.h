/* Which allocator won, in words: only as sure as the figures are. */
#ifndef PLOTS_SUMMARY_H
#define PLOTS_SUMMARY_H

#include <stddef.h>

#include "results/record.h"

enum { SUMMARY_TEXT = 2000, SUMMARY_LINES = 5 };

/* Sentences about the rows of one trace, plain text: time, memory, the front of both, who was
 * verified, and what did not work. ""
 * for one that has nothing to say. */
void summary_of_trace(const struct row *rows, size_t count,
                      char lines[SUMMARY_LINES][SUMMARY_TEXT]);

/* One allocator over all traces of a run: geometric means over those on which it has the figure. */
struct summary_total {
    const char *allocator;    /* borrowed from the rows */
    double relative;          /* time over the fastest's; NaN: nowhere measured */
    double over_live;         /* peak RSS over the most live bytes */
    size_t timed, sized;      /* traces that the means are over */
    size_t fastest, smallest; /* traces on which it was */
    size_t failed;            /* traces on which its status was not ok */
};

/* Real allocators only, by time. Owned by the caller (free). */
struct summary_total *summary_totals(const struct row *rows, size_t count, size_t *totals);

#endif
