/* Figures of the memory along the trace, one small panel an allocator: footprint, memory,
 * fragmentation.
 *
 * panels.txt: name, note (footprint, memory: and 1 if it leaves the scale)
 * <i>.txt: progress in per cent, then the figure's columns; NaN where it is not known
 * against.txt: what the progress is of */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "plots/figure.h"

enum { PANELS_POINTS = 140, PANELS_NAME = 30 };

struct panels_run {
    struct cell_sample *samples; /* owned */
    size_t count;
    double whole;      /* operations, bytes or nanoseconds at the end of the trace */
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

static double panels_progress(const struct cell_sample *sample, enum figure_against against)
{
    uint64_t of[AGAINST_KINDS] = {[AGAINST_EVENTS] = sample->event,
                                  [AGAINST_BYTES] = sample->allocated,
                                  [AGAINST_TIME] = sample->time_ns};
    return panels_number(of[against]);
}

/* NaN or 0 where the run does not know it. */
static double panels_whole(const struct panels_run *run, const struct cell_result *cell,
                           enum figure_against against)
{
    double last = panels_progress(&run->samples[run->count - 1], against);
    return against == AGAINST_EVENTS ? fmax(panels_number(cell->operations), last) : last;
}

static size_t panels_read(const struct drawing *drawing, const struct store *store,
                          const char *trace, struct figure_cell cells[FIGURE_ALLOCATORS],
                          struct panels_run runs[FIGURE_ALLOCATORS])
{
    size_t all = figure_cells(drawing, store, trace, "memory", "peak_rss_bytes", cells), count = 0;
    for (size_t i = 0; i < all; i++) {
        struct panels_run run;
        run.samples = cells[i].real ? series_read(store, cells[i].cell, &run.count) : NULL;
        if (run.samples && run.count)
            run.whole = panels_whole(&run, cells[i].cell, drawing->options->against);
        if (!run.samples || run.count == 0 || !(run.whole > 0)) {
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

/* What tells one figure from another. */
struct panels_figure {
    void (*line)(FILE *file, const struct panels_run *run, size_t i, double unit);
    void (*note)(FILE *file, const struct cell_result *cell, double scale);
    bool scaled;   /* in bytes, all panels alike: */
    size_t member; /* of a sample that sets the scale */
    /* What is drawn into all panels; NULL: nothing. */
    int (*limits)(struct drawing *drawing, const struct cell_result *cell, double unit,
                  struct err *err);
};

static int panels_write_run(struct drawing *drawing, size_t panel, const struct panels_run *run,
                            const struct panels_figure *figure, double unit, struct err *err)
{
    char name[32];
    snprintf(name, sizeof name, "%zu.txt", panel);
    FILE *file = drawing_open(drawing, name, err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < run->count; i++) {
        fprintf(file, "%.4f",
                100 * panels_progress(&run->samples[i], drawing->options->against) / run->whole);
        figure->line(file, run, i, unit);
        fputc('\n', file);
    }
    return drawing_close(file, err);
}

static int panels_write_names(struct drawing *drawing, const struct figure_cell *cells,
                              size_t count, const struct panels_figure *figure, double scale,
                              struct err *err)
{
    FILE *file = drawing_open(drawing, "panels.txt", err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < count; i++) {
        drawing_text(file, cells[i].cell->allocator, PANELS_NAME);
        fputc('\t', file);
        figure->note(file, cells[i].cell, scale);
        fputc('\n', file);
    }
    return drawing_close(file, err);
}

static int panels_write_against(struct drawing *drawing, double whole, struct err *err)
{
    char text[UNITS_TEXT];
    FILE *file = drawing_open(drawing, "against.txt", err);
    if (!file)
        return -err->code;
    switch (drawing->options->against) {
    case AGAINST_BYTES:
        fprintf(file, "of %s requested in all\n", units_format_size(text, (uint64_t)whole));
        break;
    case AGAINST_TIME:
        fprintf(file, "of the recorded time, %s\n", units_format_time(text, whole));
        break;
    default:
        fprintf(file, "of %s operations\n", units_format_count(text, (uint64_t)whole));
    }
    return drawing_close(file, err);
}

static int panels_order(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* One scale for all panels of the member of a sample at `figure`, so that they compare; but one
 * allocator that keeps everything must not press the others flat: it leaves the scale, and its note
 * tells how far. */
static double panels_scale(const struct panels_run *runs, size_t count, size_t figure)
{
    double peaks[FIGURE_ALLOCATORS], live = 0;
    for (size_t i = 0; i < count; i++) {
        peaks[i] = 0;
        for (size_t j = 0; j < runs[i].count; j++) {
            uint64_t bytes;
            memcpy(&bytes, (const char *)&runs[i].samples[j] + figure, sizeof bytes);
            peaks[i] = fmax(peaks[i], panels_number(bytes));
            live = fmax(live, panels_number(runs[i].samples[j].live));
        }
    }
    qsort(peaks, count, sizeof *peaks, panels_order);
    double middle = fmax(peaks[count / 2], live), largest = live;
    for (size_t i = 0; i < count; i++)
        if (peaks[i] <= 4 * middle)
            largest = fmax(largest, peaks[i]);
    return largest;
}

static int panels_write(struct drawing *drawing, const struct panels_figure *figure,
                        const struct figure_cell *cells, const struct panels_run *runs,
                        size_t count, struct err *err)
{
    double scale = figure->scaled ? fmax(1, panels_scale(runs, count, figure->member)) : 0;
    double unit = figure->scaled ? figure_unit_set(drawing, scale) : 1;
    drawing_set(drawing, "scale", scale / unit);
    figure_panels_set(drawing, count);
    int failed = panels_write_names(drawing, cells, count, figure, scale, err);
    if (!failed)
        failed = panels_write_against(drawing, runs[0].whole, err);
    for (size_t i = 0; i < count && !failed; i++)
        failed = panels_write_run(drawing, i, &runs[i], figure, unit, err);
    if (!failed && figure->limits)
        failed = figure->limits(drawing, cells[0].cell, unit, err);
    return failed;
}

static int panels_draw(struct drawing *drawing, const struct panels_figure *figure,
                       const struct store *store, const char *trace, struct err *err)
{
    struct figure_cell cells[FIGURE_ALLOCATORS];
    struct panels_run runs[FIGURE_ALLOCATORS];
    size_t count = panels_read(drawing, store, trace, cells, runs);
    int failed = count ? panels_write(drawing, figure, cells, runs, count, err) : 1;
    panels_free(runs, count);
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

int figure_footprint(struct drawing *drawing, const struct store *store, const char *trace,
                     struct err *err)
{
    static const struct panels_figure figure = {footprint_line, footprint_note, true,
                                                offsetof(struct cell_sample, resident), NULL};
    return panels_draw(drawing, &figure, store, trace, err);
}

/* ---- memory ---- */

static void memory_line(FILE *file, const struct panels_run *run, size_t i, double unit)
{
    const struct cell_sample *sample = &run->samples[i];
    fprintf(file, "\t%.10g\t%.10g\t%.10g\t%.10g", panels_number(sample->live) / unit,
            panels_number(sample->usable) / unit, panels_number(sample->held) / unit,
            panels_number(sample->resident) / unit);
}

static void memory_note(FILE *file, const struct cell_result *cell, double scale)
{
    char held[UNITS_TEXT] = "?";
    if (cell->peak_held_bytes != COUNT_UNKNOWN)
        units_format_size(held, cell->peak_held_bytes);
    fprintf(file, "%s held", held);
    if (!isnan(cell->jw4))
        fprintf(file, ", %.1f %% above the floor", 100 * cell->jw4);
    fprintf(file, "\t%d", panels_number(cell->peak_held_bytes) > 1.08 * scale);
}

/* limits.txt: what no allocator can be below, and what the best may need at worst. */
static int memory_limits(struct drawing *drawing, const struct cell_result *cell, double unit,
                         struct err *err)
{
    char live[UNITS_TEXT] = "?", robson[UNITS_TEXT] = "?";
    FILE *file = drawing_open(drawing, "limits.txt", err);
    if (!file)
        return -err->code;
    if (cell->peak_live_bytes != COUNT_UNKNOWN)
        units_format_size(live, cell->peak_live_bytes);
    if (cell->robson_bytes != COUNT_UNKNOWN)
        units_format_size(robson, cell->robson_bytes);
    fprintf(file,
            "peak of what is requested, the floor for any allocator: %s;"
            " Robson's bound, the worst case of the best: %s\n",
            live, robson);
    drawing_set(drawing, "floor_live", panels_number(cell->peak_live_bytes) / unit);
    return drawing_close(file, err);
}

int figure_memory(struct drawing *drawing, const struct store *store, const char *trace,
                  struct err *err)
{
    static const struct panels_figure figure = {memory_line, memory_note, true,
                                                offsetof(struct cell_sample, held), memory_limits};
    return panels_draw(drawing, &figure, store, trace, err);
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
    static const struct panels_figure figure = {fragmentation_line, fragmentation_note, false, 0,
                                                NULL};
    return panels_draw(drawing, &figure, store, trace, err);
}
