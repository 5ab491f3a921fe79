/* Figures of one moment, from census/CELL.json, one small panel an allocator: unusable, occupancy,
 * classes.
 *
 * panels.txt: name, note
 * <i>.txt: what the figure's script says; where there is nothing, a line of NaN
 * moment.txt: the moment */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "plots/figure.h"
#include "results/series.h"

enum { CENSUS_NAME = 30 };

/* One allocator's census. */
struct census_panel {
    struct figure_cell cell;
    json_t *file;         /* owned */
    const json_t *moment; /* in it */
};

static const json_t *census_find(const json_t *file, const char *name)
{
    const json_t *moments = json_object_get(file, "moments");
    for (size_t i = 0; i < json_array_size(moments); i++) {
        const json_t *moment = json_array_get(moments, i);
        const char *its = json_string_value(json_object_get(moment, "moment"));
        if (its && strcmp(its, name) == 0)
            return moment;
    }
    return NULL;
}

static double census_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static struct census_panel census_read(const struct drawing *drawing, const struct store *store,
                                       const struct figure_cell *cell)
{
    struct census_panel panel = {.cell = *cell};
    FILE *file = cell->real ? series_open(store, "census", cell->cell, ".json") : NULL;
    panel.file = file ? json_loadf(file, 0, NULL) : NULL;
    if (file)
        fclose(file);
    panel.moment = census_find(panel.file, figure_moment(drawing));
    return panel;
}

static size_t census_read_all(const struct drawing *drawing, const struct store *store,
                              const char *trace, struct census_panel panels[FIGURE_ALLOCATORS])
{
    struct figure_cell cells[FIGURE_ALLOCATORS];
    size_t all = figure_cells(drawing, store, trace, "memory", "peak_rss_bytes", cells), count = 0;
    for (size_t i = 0; i < all; i++) {
        panels[count] = census_read(drawing, store, &cells[i]);
        if (panels[count].moment)
            count++;
        else
            json_decref(panels[count].file);
    }
    return count;
}

/* What a figure makes of a moment: the panel's note, and its data. */
typedef void census_writer(FILE *file, const json_t *moment);

static int census_write_panels(struct drawing *drawing, const struct census_panel *panels,
                               size_t count, census_writer *note, struct err *err)
{
    FILE *file = drawing_open(drawing, "panels.txt", err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < count; i++) {
        drawing_text(file, panels[i].cell.cell->allocator, CENSUS_NAME);
        fputc('\t', file);
        note(file, panels[i].moment);
        fputc('\n', file);
    }
    return drawing_close(file, err);
}

static int census_write_data(struct drawing *drawing, const struct census_panel *panels,
                             size_t count, census_writer *data, struct err *err)
{
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i++) {
        char name[32];
        snprintf(name, sizeof name, "%zu.txt", i);
        FILE *file = drawing_open(drawing, name, err);
        if (!file)
            return -err->code;
        data(file, panels[i].moment);
        failed = drawing_close(file, err);
    }
    return failed;
}

static int census_draw(struct drawing *drawing, const struct store *store, const char *trace,
                       census_writer *note, census_writer *data, struct err *err)
{
    struct census_panel panels[FIGURE_ALLOCATORS];
    size_t count = census_read_all(drawing, store, trace, panels);
    int failed = count ? figure_moment_write(drawing, err) : 1;
    if (!failed) {
        figure_panels_set(drawing, count);
        failed = census_write_panels(drawing, panels, count, note, err);
    }
    if (!failed)
        failed = census_write_data(drawing, panels, count, data, err);
    for (size_t i = 0; i < count; i++)
        json_decref(panels[i].file);
    return failed;
}

/* ---- unusable: low and high end of a bin, per cent of the free bytes in it; then, as a second
 * block, size of a request, per cent that it cannot use, and by the weaker form ---- */

/* The end of a bin of a fourth of a power of two that begins at `low`. */
static double census_bin_end(double low)
{
    return low < 8 ? low + 1 : low + exp2(floor(log2(low)) - 2);
}

static void unusable_note(FILE *file, const json_t *moment)
{
    char text[UNITS_TEXT], bytes[UNITS_TEXT];
    const json_t *holes = json_object_get(moment, "holes");
    double count = census_number(holes, "count"), blocks = census_number(moment, "blocks");
    if (!(count > 0)) {
        fputs("no holes", file);
        return;
    }
    fprintf(file, "%s holes, %s in all, %.2f a block", units_format_count(text, (uint64_t)count),
            units_format_size(bytes, (uint64_t)census_number(holes, "bytes")), count / blocks);
}

static void unusable_data(FILE *file, const json_t *moment)
{
    const json_t *holes = json_object_get(moment, "holes");
    const json_t *sizes = json_object_get(holes, "sizes");
    const json_t *requests = json_object_get(holes, "unusable");
    double bytes = census_number(holes, "bytes");
    fputs("NaN\tNaN\tNaN\n", file);
    for (size_t i = 0; i < json_array_size(sizes); i++) {
        const json_t *bin = json_array_get(sizes, i);
        double low = census_number(bin, "size");
        fprintf(file, "%.10g\t%.10g\t%.6g\n", low, census_bin_end(low),
                100 * census_number(bin, "bytes") / bytes);
    }
    fputs("\n\nNaN\tNaN\tNaN\n", file);
    for (size_t i = 0; i < json_array_size(requests); i++) {
        const json_t *request = json_array_get(requests, i);
        fprintf(file, "%.10g\t%.6g\t%.6g\n", census_number(request, "size"),
                100 * census_number(request, "unusable"),
                100 * census_number(request, "too_small"));
    }
}

int figure_unusable(struct drawing *drawing, const struct store *store, const char *trace,
                    struct err *err)
{
    return census_draw(drawing, store, trace, unusable_note, unusable_data, err);
}

/* ---- occupancy: number of a class of pages, per cent of the resident pages in it ---- */

static void occupancy_note(FILE *file, const json_t *moment)
{
    const json_t *pages = json_object_get(moment, "pages");
    double resident = census_number(pages, "resident");
    double huge = census_number(moment, "huge") / census_number(moment, "anonymous");
    if (!(resident > 0)) {
        fputs("no resident page", file);
        return;
    }
    char text[UNITS_TEXT];
    fprintf(file, "%s pages, %.0f %% live", units_format_count(text, (uint64_t)resident),
            100 * census_number(pages, "live_bytes") / (resident * 4096));
    if (huge > 0)
        fprintf(file, ", %.0f %% huge", 100 * huge);
}

static void occupancy_data(FILE *file, const json_t *moment)
{
    const json_t *pages = json_object_get(moment, "pages");
    const json_t *shares = json_object_get(pages, "by_live_share");
    double resident = census_number(pages, "resident");
    fputs("NaN\tNaN\n", file);
    for (size_t i = 0; i < json_array_size(shares); i++)
        fprintf(file, "%zu\t%.6g\n", i,
                100 * json_number_value(json_array_get(shares, i)) / resident);
}

int figure_occupancy(struct drawing *drawing, const struct store *store, const char *trace,
                     struct err *err)
{
    return census_draw(drawing, store, trace, occupancy_note, occupancy_data, err);
}

/* ---- classes: smallest and end of the largest usable size of a class, per cent of all usable
 * bytes that lie in it, and that it loses ---- */

static void classes_note(FILE *file, const json_t *moment)
{
    char text[UNITS_TEXT];
    double live = census_number(moment, "live"), usable = census_number(moment, "usable");
    fprintf(file, "%s lost, %.1f %% of what is usable",
            units_format_size(text, (uint64_t)fmax(0, usable - live)),
            usable > 0 ? 100 * (1 - live / usable) : 0);
}

static void classes_data(FILE *file, const json_t *moment)
{
    const json_t *classes = json_object_get(moment, "classes");
    double all = census_number(moment, "usable");
    fputs("NaN\tNaN\tNaN\tNaN\n", file);
    for (size_t i = 0; i < json_array_size(classes); i++) {
        const json_t *class = json_array_get(classes, i);
        double usable = census_number(class, "usable"), low = census_number(class, "smallest");
        /* Bins are of a fourth of a power of two; a bar is as wide, so that one size shows. */
        fprintf(file, "%.10g\t%.10g\t%.6g\t%.6g\n", low, low * 1.19, 100 * usable / all,
                100 * (usable - census_number(class, "requested")) / all);
    }
}

int figure_classes(struct drawing *drawing, const struct store *store, const char *trace,
                   struct err *err)
{
    return census_draw(drawing, store, trace, classes_note, classes_data, err);
}
