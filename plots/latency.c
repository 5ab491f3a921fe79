/* How long single calls take, by percentile: one line an allocator, named at its end.
 *
 * names.txt: height of the name, colour, name; in the order of the lines
 * <i>.txt: 1/(1-percentile), value in seconds */
#include <math.h>
#include <stdlib.h>

#include "plots/figure.h"

enum {
    LATENCY_LEFT = 80,
    LATENCY_RIGHT = 220,
    LATENCY_BOTTOM = 60,
    LATENCY_TOP = 50,
    LATENCY_NAME = 29,
};

struct latency_line {
    struct percentile *percentiles; /* owned */
    size_t count;
    struct figure_cell cell;
    double last_s; /* where its line ends */
};

/* Lines below the median say nothing about tails. The last is the slowest call: all records lie at
 * or below it, so that its place is the number of records. */
static double latency_place(const struct percentile *percentile)
{
    return percentile->share < 1 ? 1 / (1 - percentile->share) : percentile->total;
}

static size_t latency_read(const struct drawing *drawing, const struct store *store,
                           const char *trace, struct latency_line lines[FIGURE_ALLOCATORS])
{
    struct figure_cell cells[FIGURE_ALLOCATORS];
    size_t all = figure_cells(drawing, store, trace, "latency", "p99_ns", cells), count = 0;
    for (size_t i = 0; i < all; i++) {
        struct latency_line line = {.cell = cells[i]};
        line.percentiles = percentiles_read(store, cells[i].cell, &line.count);
        if (line.count == 0) {
            free(line.percentiles);
            continue;
        }
        line.last_s = line.percentiles[line.count - 1].value_ns / 1e9;
        lines[count++] = line;
    }
    return count;
}

static int latency_write_line(struct drawing *drawing, size_t place,
                              const struct latency_line *line, struct err *err)
{
    char name[32];
    snprintf(name, sizeof name, "%zu.txt", place);
    FILE *file = drawing_open(drawing, name, err);
    if (!file)
        return -err->code;
    double calls = line->percentiles[line->count - 1].total;
    for (size_t i = 0; i < line->count; i++) {
        /* Beyond the number of calls there is nothing but the slowest again. */
        if (line->percentiles[i].share < 1 && latency_place(&line->percentiles[i]) >= calls)
            continue;
        fprintf(file, "%.10g\t%.10g\n", latency_place(&line->percentiles[i]),
                fmax(line->percentiles[i].value_ns, 1) / 1e9);
    }
    return drawing_close(file, err);
}

/* Names stand where their lines end. */
static int latency_write_names(struct drawing *drawing, const struct latency_line *lines,
                               size_t count, const struct figure_axis *y, struct err *err)
{
    struct figure_name names[FIGURE_ALLOCATORS];
    for (size_t i = 0; i < count; i++)
        names[i] = (struct figure_name){lines[i].cell.cell->allocator, fmax(lines[i].last_s, 1e-9),
                                        lines[i].cell.real ? (int)lines[i].cell.colour : -1};
    return figure_names_write(drawing, names, count, LATENCY_NAME, y, err);
}

static struct figure_axis latency_axis(const struct latency_line *lines, size_t count)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, fmax(lines[i].percentiles[0].value_ns, 1) / 1e9);
        high = fmax(high, lines[i].last_s);
    }
    return (struct figure_axis){low / 1.3, high * 1.5, true, LATENCY_BOTTOM,
                                FIGURE_HEIGHT - LATENCY_TOP};
}

static void latency_canvas(struct drawing *drawing, const struct latency_line *lines, size_t count)
{
    double calls = 10;
    for (size_t i = 0; i < count; i++)
        calls = fmax(calls, lines[i].percentiles[lines[i].count - 1].total);
    drawing_set(drawing, "count", (double)count);
    drawing_set(drawing, "calls", calls);
    drawing_set(drawing, "clock", fmax(0, lines[0].cell.cell->clock_cost_ns / 1e9));
    drawing_set(drawing, "width", FIGURE_WIDTH);
    drawing_set(drawing, "height", FIGURE_HEIGHT);
    drawing_set(drawing, "margin_left", (double)LATENCY_LEFT / FIGURE_WIDTH);
    drawing_set(drawing, "margin_right", 1 - (double)LATENCY_RIGHT / FIGURE_WIDTH);
    drawing_set(drawing, "margin_bottom", (double)LATENCY_BOTTOM / FIGURE_HEIGHT);
    drawing_set(drawing, "margin_top", 1 - (double)LATENCY_TOP / FIGURE_HEIGHT);
}

int figure_latency(struct drawing *drawing, const struct store *store, const char *trace,
                   struct err *err)
{
    struct latency_line lines[FIGURE_ALLOCATORS];
    size_t count = latency_read(drawing, store, trace, lines);
    int failed = count ? 0 : 1;
    if (count) {
        struct figure_axis y = latency_axis(lines, count);
        latency_canvas(drawing, lines, count);
        figure_axis_set(drawing, "y", &y);
        failed = latency_write_names(drawing, lines, count, &y, err);
    }
    for (size_t i = 0; i < count; i++) {
        if (!failed)
            failed = latency_write_line(drawing, i, &lines[i], err);
        free(lines[i].percentiles);
    }
    return failed;
}
