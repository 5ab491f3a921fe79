/* A table of texts in aligned columns: the first to the left, the others to the right. */
#ifndef RESULTS_GRID_H
#define RESULTS_GRID_H

#include <stddef.h>
#include <stdio.h>

enum { GRID_TEXT = 64 };

/* `cells` holds rows * columns texts, row by row. Each line begins with two blanks. */
void grid_print(FILE *out, char (*cells)[GRID_TEXT], size_t rows, size_t columns);

#endif
