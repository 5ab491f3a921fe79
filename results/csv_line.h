/* Lines of our own CSV files, which have nothing quoted. */
#ifndef RESULTS_CSV_LINE_H
#define RESULTS_CSV_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CSV_CELLS = 24, CSV_CELL = 160 };

/* What is longer, or more, is cut. */
struct csv_line {
    char cells[CSV_CELLS][CSV_CELL];
    size_t count;
};

/* False at the end of the file. */
bool csv_line_read(FILE *file, struct csv_line *line);

/* The place of the column of that name in a file's first line; its count where there is none. */
size_t csv_line_find(const struct csv_line *head, const char *name);

#endif
