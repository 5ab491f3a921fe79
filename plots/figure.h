/* What the files behind the figures share: which cells a figure shows, axes, and where labels go.
 */
#ifndef PLOTS_FIGURE_H
#define PLOTS_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include "plots/drawing.h"
#include "results/series.h"
#include "results/store.h"

/* Each writes the data of one figure. 0, 1 when there is nothing to show, FIGURE_ELSEWHERE, or
 * -code.
 */
#define FIGURE_PREPARE(symbol, name, summary, reading)                                             \
    int figure_##symbol(struct drawing *drawing, const struct store *store, const char *trace,     \
                        struct err *err);
FIGURES(FIGURE_PREPARE)

enum {
    FIGURE_ALLOCATORS = 64, /* more are left out of a figure */
    FIGURE_WIDTH = 960,     /* of the canvas, in pixels */
    FIGURE_HEIGHT = 600,
    FIGURE_LINE = 15, /* height of a line of text */
};

/* One cell an allocator, in the order they were asked for. */
struct figure_cell {
    const struct cell_result *cell; /* borrowed */
    size_t colour;                  /* place of the allocator in the run: its colour everywhere */
    bool real;
};

/* Whether the figure is to show this allocator. */
bool figure_shows(const struct drawing *drawing, const char *allocator);

/* The cells of one pass and trace whose status is ok, for each allocator that is to be shown the
 * repetition whose
 * `figure` is the median one (the lower of two). Returns how many. */
size_t figure_cells(const struct drawing *drawing, const struct store *store, const char *trace,
                    const char *pass, const char *figure,
                    struct figure_cell cells[FIGURE_ALLOCATORS]);

/* A run of values between two pixels. */
struct figure_axis {
    double low, high;
    bool logarithmic;
    double first_px, last_px;
};

/* An axis that shows all values with some room around them, logarithmic when they span more than
 * eightfold (all must be positive then). */
struct figure_axis figure_axis_fit(const double *values, size_t count, double first_px,
                                   double last_px);
double figure_axis_pixel(const struct figure_axis *axis, double value);
double figure_axis_value(const struct figure_axis *axis, double pixel);

/* Tells the script: <name>_low, <name>_high, <name>_log. */
void figure_axis_set(struct drawing *drawing, const char *name, const struct figure_axis *axis);

/* A label beside its point, in pixels from the lower left; `left` and `middle` are found. */
struct figure_label {
    double x, y;         /* of the point */
    double width;        /* of the text */
    double left, middle; /* of the text */
};

/* The width in pixels of a text's first `columns` characters in the figures' font at its size. */
double figure_text_width(const char *text, size_t columns);

/* Finds a place for each text that covers neither points nor texts, as near as there is one. */
void figure_labels_place(struct figure_label *labels, size_t count, const struct figure_axis *x,
                         const struct figure_axis *y);

/* Names at the right ends of lines: texts at the heights of values, moved apart where they would
 * overlap, into names.txt: height, colour (-1: grey), name of at most `columns` characters. */
struct figure_name {
    const char *text;
    double value;
    int colour;
};
int figure_names_write(struct drawing *drawing, const struct figure_name *names, size_t count,
                       size_t columns, const struct figure_axis *y, struct err *err);

/* Moves the heights apart until all are at least `gap` from each other, within low…high. */
void figure_spread(double *heights, size_t count, double gap, double low, double high);

/* The load of which the trace shows one number of threads; the trace where it shows none. */
const char *figure_scaling_subject(const struct store *store, const char *trace);

/* Small multiples: how many columns and rows of panels, told to the script with the canvas. Returns
 * the columns. */
size_t figure_panels_set(struct drawing *drawing, size_t count);

/* The moment that is shown, as census/CELL.json names it; and in words, as moment.txt. */
const char *figure_moment(const struct drawing *drawing);
int figure_moment_write(struct drawing *drawing, struct err *err);

/* The maps of a kind (results/map.h) of the real allocators that are shown, with their cells.
 * Returns how many; each is released by the caller (map_free). */
struct map;
enum { FIGURE_MAP_LEFT = 74, FIGURE_MAP_RIGHT = 20 }; /* pixels beside a panel with addresses */
size_t figure_maps(const struct drawing *drawing, const struct store *store, const char *trace,
                   const char *kind, const char *ending,
                   struct figure_cell cells[FIGURE_ALLOCATORS],
                   struct map *maps[FIGURE_ALLOCATORS]);

/* Sizes along an axis in the unit that suits one of them: told to the script as `unit` (0 B, 1 KiB,
 * 2 MiB, 3 GiB). Returns bytes in one of them. */
double figure_unit_set(struct drawing *drawing, double size);

#endif
