/* One figure under way: plain data files in a scratch folder, and gnuplot started there.
 *
 * No text from outside gets into a script or a command: names go in through data files, the rest is
 * numbers. gnuplot's current folder is the scratch folder, so that not even a path is spelled out.
 */
#ifndef PLOTS_DRAWING_H
#define PLOTS_DRAWING_H

#include <stddef.h>
#include <stdio.h>

#include "harness/base/err.h"
#include "plots/figures.h"

enum { DRAWING_SETTINGS = 1024 };

struct drawing {
    char folder[200]; /* deleted by drawing_end */
    char settings[DRAWING_SETTINGS];
    const struct figure_options *options; /* borrowed */
};

int drawing_begin(struct drawing *drawing, struct err *err);
void drawing_end(struct drawing *drawing);

/* A data file of that name (one of ours, never one from outside); closed by drawing_close. */
FILE *drawing_open(struct drawing *drawing, const char *name, struct err *err);
int drawing_close(FILE *file, struct err *err);

/* Makes a number known to the script. */
void drawing_set(struct drawing *drawing, const char *name, double value);

/* Writes one column of text for a data file whose separator is a tab, with whatever gnuplot would
 * interpret replaced by its look-alike, at most `columns` characters of it (0: all). */
void drawing_text(FILE *file, const char *text, size_t columns);

/* Runs `script` (its text) after the shared style and copies what it drew onto `out`. */
int drawing_render(struct drawing *drawing, enum figure_terminal terminal, const char *script,
                   FILE *out, struct err *err);

#endif
