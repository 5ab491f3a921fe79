/* What the files behind the figures share. */
#include "plots/figure.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots/assets.h"
#include "results/asked.h"
#include "results/map.h"
#include "results/sample.h"

const char *const figure_terminals[FIGURE_TERMINALS] = {"svg", "png", "pdf", "dumb"};
const char *const figure_against[AGAINST_KINDS] = {"events", "bytes", "time"};

static const struct {
    const char *name, *summary, *reading, *script;
    int (*prepare)(struct drawing *drawing, const struct store *store, const char *trace,
                   struct err *err);
} figure_list[] = {
#define FIGURE_ROW(symbol, name, summary, reading)                                                 \
    {name, summary, reading, asset_##symbol##_gp, figure_##symbol},
    FIGURES(FIGURE_ROW)};

size_t figure_count(void)
{
    return sizeof figure_list / sizeof *figure_list;
}

const char *figure_name(size_t figure)
{
    return figure_list[figure].name;
}

const char *figure_summary(size_t figure)
{
    return figure_list[figure].summary;
}

const char *figure_reading(size_t figure)
{
    return figure_list[figure].reading;
}

const char *figure_subject(size_t figure, const struct store *store, const char *trace)
{
    bool of_load = figure_list[figure].prepare == figure_scaling;
    return of_load ? figure_scaling_subject(store, trace) : trace;
}

static bool figure_interrupted(const struct figure_options *options)
{
    return options->interrupted && *options->interrupted;
}

/* A failure is that of one figure of one trace, unless everything ends. */
static int figure_failed(size_t figure, const char *subject, struct err *err)
{
    const struct err why = *err;
    return err_set(err, why.code, "%s of %.80s: %s", figure_name(figure), subject, why.text);
}

int figure_draw(size_t figure, enum figure_terminal terminal, const struct figure_options *options,
                const struct store *store, const char *trace, FILE *out, struct err *err)
{
    struct drawing drawing;
    int failed = figure_interrupted(options) ? err_set(err, EINTR, "interrupted")
                                             : drawing_begin(&drawing, err);
    if (failed)
        return failed;
    drawing.options = options;
    FILE *title = drawing_open(&drawing, "trace.txt", err);
    failed = title ? 0 : -err->code;
    if (title) {
        drawing_text(title, trace, 60);
        fputc('\n', title);
        failed = drawing_close(title, err);
    }
    if (!failed)
        failed = figure_list[figure].prepare(&drawing, store, trace, err);
    if (!failed)
        failed = drawing_render(&drawing, terminal, figure_list[figure].script, out, err);
    drawing_end(&drawing);
    /* gnuplot ends with whom it draws for, and what it says of that is no reason. */
    if (failed < 0 && figure_interrupted(options))
        return err_set(err, EINTR, "interrupted");
    return failed < 0 ? figure_failed(figure, figure_subject(figure, store, trace), err) : failed;
}

/* The repetition whose figure is the lower median. */
static const struct cell_result *figure_median_cell(const struct store *store, const char *trace,
                                                    const char *allocator, const char *pass,
                                                    const char *figure)
{
    struct sample sample;
    sample_collect(&sample, store, allocator, trace, pass, figure);
    /* A measured one: of an even count the lower of the two in the middle. */
    double middle =
        sample.count < 2
            ? statistics_median(sample.values, sample.count)
            : statistics_percentile(sample.values, sample.count,
                                    (double)((sample.count - 1) / 2) / (double)(sample.count - 1));
    const struct cell_result *found = NULL;
    const struct field *field = field_find(cell_fields, cell_field_count, figure);
    for (size_t i = 0; i < store_cell_count(store) && !found; i++) {
        const struct cell_result *cell = store_cell(store, i);
        if (strcmp(cell->status, "ok") == 0 && strcmp(cell->pass, pass) == 0 &&
            strcmp(cell->trace, trace) == 0 && strcmp(cell->allocator, allocator) == 0 &&
            fabs(field_number(field, cell) - middle) <= 1e-9 * fabs(middle))
            found = cell;
    }
    sample_release(&sample);
    return found;
}

bool figure_shows(const struct drawing *drawing, const char *allocator)
{
    const char *const *listed = drawing->options->allocators;
    for (size_t i = 0; listed && listed[i]; i++)
        if (strcmp(listed[i], allocator) == 0)
            return true;
    return !listed;
}

size_t figure_cells(const struct drawing *drawing, const struct store *store, const char *trace,
                    const char *pass, const char *figure,
                    struct figure_cell cells[FIGURE_ALLOCATORS])
{
    const char **allocators = asked_allocators(store);
    size_t count = 0, colour = 0;
    for (const char **name = allocators; *name && count < FIGURE_ALLOCATORS; name++) {
        bool real = asked_is_real(store, *name);
        const struct cell_result *cell = figure_median_cell(store, trace, *name, pass, figure);
        if (cell && figure_shows(drawing, *name))
            cells[count++] = (struct figure_cell){cell, colour, real};
        colour += real;
    }
    free(allocators);
    return count;
}

size_t figure_panels_set(struct drawing *drawing, size_t count)
{
    size_t columns = count <= 3 ? count : count <= 4 ? 2 : count <= 9 ? 3 : 4;
    size_t rows = (count + columns - 1) / columns;
    drawing_set(drawing, "count", (double)count);
    drawing_set(drawing, "columns", (double)columns);
    drawing_set(drawing, "rows", (double)rows);
    drawing_set(drawing, "width", FIGURE_WIDTH);
    drawing_set(drawing, "height", (double)(rows == 1 ? 350 : 70 + 190 * rows));
    return columns;
}

const char *figure_moment(const struct drawing *drawing)
{
    return drawing->options->moment ? drawing->options->moment : "peak-live";
}

int figure_moment_write(struct drawing *drawing, struct err *err)
{
    FILE *file = drawing_open(drawing, "moment.txt", err);
    if (!file)
        return -err->code;
    const char *wanted = figure_moment(drawing);
    if (strcmp(wanted, "peak-live") == 0)
        fputs("where most is live\n", file);
    else if (strcmp(wanted, "end") == 0)
        fputs("at the end\n", file);
    else
        fprintf(file, "after %s of the operations\n", wanted);
    return drawing_close(file, err);
}

size_t figure_maps(const struct drawing *drawing, const struct store *store, const char *trace,
                   const char *kind, const char *ending,
                   struct figure_cell cells[FIGURE_ALLOCATORS], struct map *maps[FIGURE_ALLOCATORS])
{
    size_t all = figure_cells(drawing, store, trace, "memory", "peak_rss_bytes", cells), count = 0;
    for (size_t i = 0; i < all; i++) {
        maps[count] = cells[i].real ? map_read(store, kind, cells[i].cell, ending) : NULL;
        cells[count] = cells[i];
        count += maps[count] != NULL;
    }
    return count;
}

double figure_unit_set(struct drawing *drawing, double size)
{
    int unit = 0;
    double bytes = 1;
    while (unit < 3 && size / bytes >= 1024) {
        bytes *= 1024;
        unit++;
    }
    drawing_set(drawing, "unit", unit);
    return bytes;
}
