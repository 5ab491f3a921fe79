/* A run over all its traces. */
#ifndef PLOTS_OVERVIEW_H
#define PLOTS_OVERVIEW_H

#include <stdio.h>

#include "results/record.h"
#include "results/store.h"

/* What would help: a table of HTML, a row a trace, which leads to the section run<run>-trace<first
 * of its rows>. Nothing where there is nothing to compare. */
void overview_html(FILE *out, const struct store *store, const struct row *rows, size_t count,
                   unsigned run);

/* Means of each allocator, with their heading. */
void overview_totals_html(FILE *out, const struct row *rows, size_t count);

#endif
