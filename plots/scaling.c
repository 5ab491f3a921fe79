/* Throughput against threads: one line an allocator, over the traces that are one load with several
 * numbers of threads.
 *
 * names.txt: height of the name, colour, name; in the order of the lines
 * <i>.txt: threads, million operations a second: the repetitions' median, least, most
 * threads.txt: every number of threads */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots/figure.h"
#include "results/asked.h"
#include "results/sample.h"

enum {
    SCALING_LEFT = 80,
    SCALING_RIGHT = 220,
    SCALING_BOTTOM = 60,
    SCALING_TOP = 50,
    SCALING_NAME = 29,
    SCALING_POINTS = 16,
};

struct scaling_point {
    uint64_t threads;
    double middle, low, high; /* million operations a second */
};

struct scaling_line {
    struct figure_cell cell; /* of its first point */
    struct scaling_point points[SCALING_POINTS];
    size_t count;
};

static const char *scaling_of(const struct store *store, const char *trace)
{
    return json_string_value(json_object_get(asked_trace(store, trace), "scaling"));
}

const char *figure_scaling_subject(const struct store *store, const char *trace)
{
    const char *load = scaling_of(store, trace);
    return load ? load : trace;
}

/* The traces that show the same load, NULL-terminated, if `trace` is the first of them; else NULL.
 */
static const char **scaling_traces(const struct store *store, const char *trace)
{
    const char *load = scaling_of(store, trace);
    const char **traces = asked_traces(store);
    size_t count = 0;
    for (size_t i = 0; load && traces[i]; i++) {
        const char *other = scaling_of(store, traces[i]);
        if (other && strcmp(other, load) == 0)
            traces[count++] = traces[i];
    }
    traces[count] = NULL;
    if (count > 0 && strcmp(traces[0], trace) == 0)
        return traces;
    free(traces);
    return NULL;
}

static struct scaling_line *scaling_line(struct scaling_line *lines, size_t *count,
                                         const struct figure_cell *cell)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(lines[i].cell.cell->allocator, cell->cell->allocator) == 0)
            return &lines[i];
    lines[*count] = (struct scaling_line){.cell = *cell};
    return &lines[(*count)++];
}

/* ns an operation by the clock on the wall. What other programs took of the core is left out of the
 * time of one thread, and cannot be of that of several: to hold one against the other it is added
 * again. */
static void scaling_wall(struct sample *sample, const struct store *store,
                         const struct cell_result *cell)
{
    struct sample taken;
    sample_collect(sample, store, cell->allocator, cell->trace, "throughput", "ns_per_op");
    sample_collect(&taken, store, cell->allocator, cell->trace, "throughput", "taken_ns");
    for (size_t i = 0; i < sample->count && taken.count == sample->count; i++)
        sample->values[i] += taken.values[i] / (double)cell->operations;
    sample_release(&taken);
}

static void scaling_add(struct scaling_line *line, const struct store *store,
                        const struct cell_result *cell)
{
    struct sample sample;
    if (line->count == SCALING_POINTS || !(cell->ns_per_op > 0))
        return;
    scaling_wall(&sample, store, cell);
    line->points[line->count++] = (struct scaling_point){
        cell->threads_replayed,
        1e3 / statistics_median(sample.values, sample.count),
        1e3 / statistics_percentile(sample.values, sample.count, 1),
        1e3 / statistics_percentile(sample.values, sample.count, 0),
    };
    sample_release(&sample);
}

static int scaling_order(const void *a, const void *b)
{
    const struct scaling_point *left = a, *right = b;
    return (left->threads > right->threads) - (left->threads < right->threads);
}

static size_t scaling_read(const struct drawing *drawing, const struct store *store,
                           const char **traces, struct scaling_line *lines)
{
    size_t count = 0;
    for (size_t trace = 0; traces[trace]; trace++) {
        struct figure_cell cells[FIGURE_ALLOCATORS];
        size_t found =
            figure_cells(drawing, store, traces[trace], "throughput", "ns_per_op", cells);
        for (size_t i = 0; i < found; i++)
            if (cells[i].real)
                scaling_add(scaling_line(lines, &count, &cells[i]), store, cells[i].cell);
    }
    for (size_t i = 0; i < count; i++)
        qsort(lines[i].points, lines[i].count, sizeof *lines[i].points, scaling_order);
    return count;
}

static int scaling_write_line(struct drawing *drawing, size_t place,
                              const struct scaling_line *line, struct err *err)
{
    char name[32];
    snprintf(name, sizeof name, "%zu.txt", place);
    FILE *file = drawing_open(drawing, name, err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < line->count; i++) {
        const struct scaling_point *point = &line->points[i];
        fprintf(file, "%llu\t%.10g\t%.10g\t%.10g\n", (unsigned long long)point->threads,
                point->middle, point->low, point->high);
    }
    return drawing_close(file, err);
}

static int scaling_write_names(struct drawing *drawing, const struct scaling_line *lines,
                               size_t count, const struct figure_axis *y, struct err *err)
{
    struct figure_name names[FIGURE_ALLOCATORS];
    for (size_t i = 0; i < count; i++) {
        const struct scaling_line *line = &lines[i];
        names[i] =
            (struct figure_name){line->cell.cell->allocator, line->points[line->count - 1].middle,
                                 (int)line->cell.colour};
    }
    return figure_names_write(drawing, names, count, SCALING_NAME, y, err);
}

/* Tells the ends of the axes; every number of threads is a tic. */
static int scaling_axes(struct drawing *drawing, const struct scaling_line *lines, size_t count,
                        struct figure_axis *y, struct err *err)
{
    double least = INFINITY, most = 0, high = 0;
    FILE *file = drawing_open(drawing, "threads.txt", err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < lines[i].count; j++) {
            const struct scaling_point *point = &lines[i].points[j];
            fprintf(file, "%llu\n", (unsigned long long)point->threads);
            least = fmin(least, (double)point->threads);
            most = fmax(most, (double)point->threads);
            high = fmax(high, point->high);
        }
    drawing_set(drawing, "least", least);
    drawing_set(drawing, "most", most);
    *y = (struct figure_axis){0, high * 1.08, false, SCALING_BOTTOM, FIGURE_HEIGHT - SCALING_TOP};
    figure_axis_set(drawing, "y", y);
    return drawing_close(file, err);
}

static void scaling_canvas(struct drawing *drawing, const struct store *store, size_t count)
{
    const json_t *machine = json_object_get(store_run(store), "machine");
    drawing_set(drawing, "cores", (double)json_integer_value(json_object_get(machine, "cores")));
    drawing_set(drawing, "count", (double)count);
    drawing_set(drawing, "width", FIGURE_WIDTH);
    drawing_set(drawing, "height", FIGURE_HEIGHT);
    drawing_set(drawing, "margin_left", (double)SCALING_LEFT / FIGURE_WIDTH);
    drawing_set(drawing, "margin_right", 1 - (double)SCALING_RIGHT / FIGURE_WIDTH);
    drawing_set(drawing, "margin_bottom", (double)SCALING_BOTTOM / FIGURE_HEIGHT);
    drawing_set(drawing, "margin_top", 1 - (double)SCALING_TOP / FIGURE_HEIGHT);
}

static int scaling_title(struct drawing *drawing, const char *load, struct err *err)
{
    FILE *file = drawing_open(drawing, "load.txt", err);
    if (!file)
        return -err->code;
    drawing_text(file, load, 60);
    fputc('\n', file);
    return drawing_close(file, err);
}

int figure_scaling(struct drawing *drawing, const struct store *store, const char *trace,
                   struct err *err)
{
    struct scaling_line lines[FIGURE_ALLOCATORS];
    struct figure_axis y;
    const char **traces = scaling_traces(store, trace);
    if (!traces)
        return FIGURE_ELSEWHERE;
    size_t count = scaling_read(drawing, store, traces, lines);
    free(traces);
    if (count == 0)
        return 1;
    scaling_canvas(drawing, store, count);
    int failed = scaling_title(drawing, scaling_of(store, trace), err);
    if (!failed)
        failed = scaling_axes(drawing, lines, count, &y, err);
    if (!failed)
        failed = scaling_write_names(drawing, lines, count, &y, err);
    for (size_t i = 0; i < count && !failed; i++)
        failed = scaling_write_line(drawing, i, &lines[i], err);
    return failed;
}
