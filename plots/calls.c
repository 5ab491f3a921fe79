/* How long calls take by operation and size class: one small panel an allocator.
 *
 * panels.txt: name, note
 * <i>.txt: place of the class, operation (0 malloc, 1 calloc, 2 realloc, 3 aligned, 4 free), then
 * in seconds: p50, p99, p99.9, p99.99, p99.999, the furthest of them that is known, max; NaN
 * unknown */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "plots/figure.h"
#include "results/latency_classes.h"

enum { CALLS_NAME = 30, CALLS_OPERATIONS = 5 };

static const char *const calls_operations[CALLS_OPERATIONS] = {"malloc", "calloc", "realloc",
                                                               "aligned", "free"};

/* One allocator's. */
struct calls_panel {
    struct figure_cell cell;
    struct latency_class *classes; /* owned */
    size_t count;
};

static int calls_operation(const char *name)
{
    int operation = 0;
    while (operation < CALLS_OPERATIONS && strcmp(calls_operations[operation], name) != 0)
        operation++;
    return operation;
}

/* Classes end at powers of two or four; the last has no end. */
static int calls_place(uint64_t up_to)
{
    static const uint64_t ends[] = {16, 64, 256, 1024, 4096, 32768, 262144};
    size_t place = 0;
    while (place < sizeof ends / sizeof *ends && ends[place] < up_to)
        place++;
    return (int)place;
}

static size_t calls_read(const struct drawing *drawing, const struct store *store,
                         const char *trace, struct calls_panel panels[FIGURE_ALLOCATORS])
{
    struct figure_cell cells[FIGURE_ALLOCATORS];
    size_t all = figure_cells(drawing, store, trace, "latency", "p99_ns", cells), count = 0;
    for (size_t i = 0; i < all; i++) {
        struct calls_panel panel = {.cell = cells[i]};
        panel.classes = calloc(LATENCY_CLASSES_MOST, sizeof *panel.classes);
        if (!panel.classes)
            err_no_memory("%d classes", LATENCY_CLASSES_MOST);
        panel.count = latency_classes_read(store, cells[i].cell, panel.classes);
        if (panel.count > 0)
            panels[count++] = panel;
        else
            free(panel.classes);
    }
    return count;
}

static int calls_write_names(struct drawing *drawing, const struct calls_panel *panels,
                             size_t count, struct err *err)
{
    FILE *file = drawing_open(drawing, "panels.txt", err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < count; i++) {
        char text[UNITS_TEXT];
        uint64_t calls = 0;
        for (size_t j = 0; j < panels[i].count; j++)
            calls += panels[i].classes[j].count;
        drawing_text(file, panels[i].cell.cell->allocator, CALLS_NAME);
        fprintf(file, "\t%s calls\n", units_format_count(text, calls));
    }
    return drawing_close(file, err);
}

/* A logarithmic axis has no place for 0. */
static double calls_seconds(double ns)
{
    return fmax(ns, 1) / 1e9;
}

static void calls_write_class(FILE *file, const struct latency_class *class)
{
    static const enum latency_figure told[] = {LATENCY_P50, LATENCY_P99, LATENCY_P999,
                                               LATENCY_P9999, LATENCY_P99999};
    double furthest = class->ns[LATENCY_P50];
    fprintf(file, "%d\t%d", calls_place(class->up_to), calls_operation(class->operation));
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        double ns = class->ns[told[i]];
        furthest = isnan(ns) ? furthest : ns;
        if (isnan(ns))
            fputs("\tNaN", file);
        else
            fprintf(file, "\t%.10g", calls_seconds(ns));
    }
    fprintf(file, "\t%.10g\t%.10g\n", calls_seconds(furthest),
            calls_seconds(class->ns[LATENCY_MAX]));
}

static int calls_write_panel(struct drawing *drawing, size_t number,
                             const struct calls_panel *panel, struct err *err)
{
    char name[32];
    snprintf(name, sizeof name, "%zu.txt", number);
    FILE *file = drawing_open(drawing, name, err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < panel->count; i++)
        calls_write_class(file, &panel->classes[i]);
    return drawing_close(file, err);
}

/* All panels share one axis. */
static void calls_scale(struct drawing *drawing, const struct calls_panel *panels, size_t count)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < panels[i].count; j++) {
            const double *ns = panels[i].classes[j].ns, middle = ns[LATENCY_P50];
            low = fmin(low, calls_seconds(isnan(middle) ? ns[LATENCY_MAX] : middle));
            high = fmax(high, calls_seconds(ns[LATENCY_MAX]));
        }
    drawing_set(drawing, "low", low / 1.5);
    drawing_set(drawing, "high", high * 2);
    drawing_set(drawing, "clock", fmax(0, panels[0].cell.cell->clock_cost_ns / 1e9));
}

int figure_calls(struct drawing *drawing, const struct store *store, const char *trace,
                 struct err *err)
{
    struct calls_panel panels[FIGURE_ALLOCATORS];
    size_t count = calls_read(drawing, store, trace, panels);
    int failed = count ? 0 : 1;
    if (count) {
        figure_panels_set(drawing, count);
        calls_scale(drawing, panels, count);
        failed = calls_write_names(drawing, panels, count, err);
    }
    for (size_t i = 0; i < count; i++) {
        if (!failed)
            failed = calls_write_panel(drawing, i, &panels[i], err);
        free(panels[i].classes);
    }
    return failed;
}
