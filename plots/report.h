/* The report of a run: one HTML file that needs nothing else, or Markdown. */
#ifndef PLOTS_REPORT_H
#define PLOTS_REPORT_H

#include <stdio.h>

#include "harness/base/err.h"
#include "results/store.h"

/* Writes what comes before the first run, one run (`number` tells it from the others in the file),
 * and what comes after the last. A run whose figures cannot be drawn is written without them and
 * -code is returned with the sentence: -EINTR if it was interrupted. */
void report_html_begin(FILE *out);
int report_html_run(FILE *out, const struct store *store, unsigned number,
                    const volatile int *interrupted, struct err *err);
void report_html_end(FILE *out);

void report_markdown_run(FILE *out, const struct store *store);

#endif
