/* From cells to rows: one row an allocator and trace, as `bench run` and `bench report` print them.
 */
#ifndef RESULTS_TABLE_H
#define RESULTS_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "results/record.h"
#include "results/store.h"

/* Rows in the order in which traces and allocators were asked for. Owned by the caller (free).
 * An allocator with no cell at all is a row whose status says so. */
struct row *table_rows(const struct store *store, size_t *count);

enum table_format { TABLE_TEXT, TABLE_MARKDOWN, TABLE_CSV };

/* One table a trace (text and Markdown), or all rows (CSV; for JSON see answer.h). Text is as wide
 * as the terminal that `out` is, else 100 columns; where one table does not fit, time and memory
 * are two. */
void table_print(FILE *out, const struct row *rows, size_t count, enum table_format format);

/* The same as text, `width` columns wide. */
void table_print_text(FILE *out, const struct row *rows, size_t count, size_t width);

/* As text: for each trace latencies less the clock's cost, what is held against its limits, and
 * holes and pages. */
void table_print_details(FILE *out, const struct row *rows, size_t count);

#endif
