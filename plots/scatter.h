/* Points with their names beside them, for the figures whose script places both. */
#ifndef PLOTS_SCATTER_H
#define PLOTS_SCATTER_H

#include <stddef.h>

#include "plots/figure.h"

struct scatter_point {
    const char *name; /* borrowed */
    size_t colour;    /* place of the allocator in the run: its colour everywhere */
    double x, y;
};

/* Axes in the units that the script shows: a value is divided by its unit. */
struct scatter {
    struct figure_axis x, y; /* fitted to the values, in pixels of the canvas */
    double x_unit, y_unit;
};

enum { SCATTER_LEFT = 80, SCATTER_RIGHT = 30, SCATTER_BOTTOM = 60, SCATTER_TOP = 60 };

/* Tells the script the canvas and its margins. */
void scatter_canvas(struct drawing *drawing);

/* Axes that show all points; `equal`: the same span on both. */
struct scatter scatter_fit(const struct scatter_point *points, size_t count, double x_unit,
                           double y_unit, bool equal);

/* Writes points.txt (x, y, label's x and y, its start on the leader, colour, name) and tells the
 * script the axes. At most FIGURE_ALLOCATORS points. */
int scatter_write(struct drawing *drawing, const struct scatter *scatter,
                  const struct scatter_point *points, size_t count, struct err *err);

#endif
