/* Figures of the memory along the trace, one small panel an allocator: footprint, fragmentation.
 *
 * panels.txt: name, note (footprint: and 1 if it leaves the scale)
 * <i>.txt: progress in per cent, then the figure's columns; NaN where it is not known */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "harness/base/units.h"
#include "plots/figure.h"

enum { PANELS_POINTS = 140, PANELS_NAME = 30 };

struct panels_run {
    struct cell_sample *samples; /* owned */
    size_t count;
    double vsz_before; /* bytes of address space that are not the allocator's */
};

static double panels_number(uint64_t count)
{
    return count == COUNT_UNKNOWN ? NAN : (double)count;
}

/* The samples are of the whole process, the cell's peak is of the allocator alone. */
static double panels_vsz_before(const struct panels_run *run, const struct cell_result *cell)
{
    double most = NAN;
    for (size_t i = 0; i < run->count; i++)
        most = fmax(most, panels_number(run->samples[i].vsz));
    return most - panels_number(cell->peak_vsz_bytes);
}

/* Keeps one sample in each of PANELS_POINTS equal stretches: where the resident memory is largest,
 * so that no peak is lost. Every point is a measured one. */
static void panels_thin(struct panels_run *run)
{
    if (run->count <= PANELS_POINTS)
        return;
    size_t kept = 0, best = 0;
    for (size_t i = 0; i < run->count; i++) {
        size_t stretch = i * PANELS_POINTS / run->count;
        bool first = stretch != (best * PANELS_POINTS / run->count) || i == 0;
        if (first && i)
            run->samples[kept++] = run->samples[best];
        if (first || run->samples[i].resident > run->samples[best].resident)
            best = i;
    }
    run->samples[kept++] = run->samples[best];
    run->count = kept;
}

static size_t panels_read(const struct store *store, const char *trace,
                          struct figure_cell cells[FIGURE_ALLOCATORS],
                          struct panels_run runs[FIGURE_ALLOCATORS])
{
    size_t all = figure_cells(store, trace, "memory", "peak_rss_bytes", cells), count = 0;
    for (size_t i = 0; i < all; i++) {
        struct panels_run run;
        run.samples = cells[i].real ? series_read(store, cells[i].cell, &run.count) : NULL;
        if (!run.samples || run.count == 0) {
            free(run.samples);
            continue;
        }
        run.vsz_before = panels_vsz_before(&run, cells[i].cell);
        panels_thin(&run);
        cells[count] = cells[i];
        runs[count++] = run;
    }
    return count;
}

static void panels_free(struct panels_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(runs[i].samples);
}

typedef void panels_line(FILE *file, const struct panels_run *run, size_t i, double unit);
typedef void panels_note(FILE *file, const struct cell_result *cell, double scale);

static int panels_write_run(struct drawing *drawing, size_t panel, const struct figure_cell *cell,
                            const struct panels_run *run, panels_line *line, double unit,
                            struct err *err)
{
    char name[32];
    snprintf(name, sizeof name, "%zu.txt", panel);
    FILE *file = drawing_open(drawing, name, err);
    if (!file)
        return -err->code;
    double operations = panels_number(cell->cell->operations);
    double last = (double)run->samples[run->count - 1].event;
    double whole = fmax(operations, last);
    for (size_t i = 0; i < run->count; i++) {
        fprintf(file, "%.4f", whole > 0 ? 100 * (double)run->samples[i].event / whole : 0);
        line(file, run, i, unit);
        fputc('\n', file);
    }
    return drawing_close(file, err);
}

static int panels_write_names(struct drawing *drawing, const struct figure_cell *cells,
                              size_t count, panels_note *note, double scale, struct err *err)
{
    FILE *file = drawing_open(drawing, "panels.txt", err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < count; i++) {
        drawing_text(file, cells[i].cell->allocator, PANELS_NAME);
        fputc('\t', file);
        note(file, cells[i].cell, scale);
        fputc('\n', file);
    }
    return drawing_close(file, err);
}

static int panels_write(struct drawing *drawing, const struct figure_cell *cells,
                        const struct panels_run *runs, size_t count, panels_line *line,
                        panels_note *note, double unit, double scale, struct err *err)
{
    figure_panels_set(drawing, count);
    int failed = panels_write_names(drawing, cells, count, note, scale, err);
    for (size_t i = 0; i < count && !failed; i++)
        failed = panels_write_run(drawing, i, &cells[i], &runs[i], line, unit, err);
    return failed;
}

/* ---- footprint ---- */

static void footprint_line(FILE *file, const struct panels_run *run, size_t i, double unit)
{
    const struct cell_sample *sample = &run->samples[i];
    fprintf(file, "\t%.10g\t%.10g\t%.10g", panels_number(sample->live) / unit,
            panels_number(sample->resident) / unit,
            (panels_number(sample->vsz) - run->vsz_before) / unit);
}

static void footprint_note(FILE *file, const struct cell_result *cell, double scale)
{
    char resident[UNITS_TEXT] = "?", virtual[UNITS_TEXT] = "?";
    if (cell->peak_rss_bytes != COUNT_UNKNOWN)
        units_format_size(resident, cell->peak_rss_bytes);
    if (cell->peak_vsz_bytes != COUNT_UNKNOWN)
        units_format_size(virtual, cell->peak_vsz_bytes);
    bool leaves = panels_number(cell->peak_resident_bytes) > 1.08 * scale;
    fprintf(file, "%s resident, %s virtual\t%d", resident, virtual, leaves);
}

static int footprint_order(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* One scale for all panels, so that they compare; but one allocator that keeps everything must not
 * press the others flat: it leaves the scale, and its note tells how far. */
static double footprint_scale(const struct panels_run *runs, size_t count)
{
    double peaks[FIGURE_ALLOCATORS], live = 0;
    for (size_t i = 0; i < count; i++) {
        peaks[i] = 0;
        for (size_t j = 0; j < runs[i].count; j++) {
            peaks[i] = fmax(peaks[i], panels_number(runs[i].samples[j].resident));
            live = fmax(live, panels_number(runs[i].samples[j].live));
        }
    }
    qsort(peaks, count, sizeof *peaks, footprint_order);
    double middle = fmax(peaks[count / 2], live), largest = live;
    for (size_t i = 0; i < count; i++)
        if (peaks[i] <= 4 * middle)
            largest = fmax(largest, peaks[i]);
    return largest;
}

int figure_footprint(struct drawing *drawing, const struct store *store, const char *trace,
                     struct err *err)
{
    struct figure_cell cells[FIGURE_ALLOCATORS];
    struct panels_run runs[FIGURE_ALLOCATORS];
    size_t count = panels_read(store, trace, cells, runs);
    int failed = 1;
    if (count) {
        double scale = fmax(1, footprint_scale(runs, count));
        double unit = figure_unit_set(drawing, scale);
        drawing_set(drawing, "scale", scale / unit);
        failed = panels_write(drawing, cells, runs, count, footprint_line, footprint_note, unit,
                              scale, err);
    }
    panels_free(runs, count);
    return failed;
}

/* ---- fragmentation ---- */

static void fragmentation_line(FILE *file, const struct panels_run *run, size_t i, double unit)
{
    (void)unit;
    const struct cell_sample *sample = &run->samples[i];
    double live = panels_number(sample->live), usable = panels_number(sample->usable);
    double held = panels_number(sample->held);
    /* Nothing live has no fragmentation. */
    double internal = usable > 0 ? 100 * (1 - live / usable) : NAN;
    double external = usable > 0 && held > 0 ? 100 * (1 - usable / held) : NAN;
    fprintf(file, "\t%.6g\t%.6g", internal, external);
}

static void fragmentation_note(FILE *file, const struct cell_result *cell, double scale)
{
    (void)scale;
    const double shares[] = {cell->internal_fragmentation, cell->external_fragmentation};
    static const char *const names[] = {"internal", ", external"};
    for (int i = 0; i < 2; i++)
        if (isnan(shares[i]))
            fprintf(file, "%s ?", names[i]);
        else
            fprintf(file, "%s %.1f %%", names[i], 100 * shares[i]);
}

int figure_fragmentation(struct drawing *drawing, const struct store *store, const char *trace,
                         struct err *err)
{
    struct figure_cell cells[FIGURE_ALLOCATORS];
    struct panels_run runs[FIGURE_ALLOCATORS];
    size_t count = panels_read(store, trace, cells, runs);
    int failed = count ? panels_write(drawing, cells, runs, count, fragmentation_line,
                                      fragmentation_note, 1, 0, err)
                       : 1;
    panels_free(runs, count);
    return failed;
}
