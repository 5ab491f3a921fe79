/* Time against memory: one point an allocator, and the front that nothing dominates.
 *
 * points.txt: ns/op, peak RSS, label's x and y, its start on the leader, colour, name
 * front.txt: the points that are neither slower nor larger than another, by time */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots/figure.h"
#include "results/asked.h"
#include "results/sample.h"
#include "results/text.h"

enum { TIME_LEFT = 80, TIME_RIGHT = 30, TIME_BOTTOM = 60, TIME_TOP = 60, TIME_NAME = 36 };

struct time_point {
    const char *allocator;
    size_t colour;
    double ns, bytes;
};

static double time_median(const struct store *store, const char *trace, const char *allocator,
                          const char *pass, const char *figure)
{
    struct sample sample;
    sample_collect(&sample, store, allocator, trace, pass, figure);
    double median = statistics_median(sample.values, sample.count);
    sample_release(&sample);
    return median;
}

/* The real allocators that have both figures; `allocators` as asked. */
static size_t time_points(const struct drawing *drawing, const struct store *store,
                          const char *trace, const char **allocators, struct time_point *points)
{
    size_t found = 0, colour = 0;
    for (size_t i = 0; allocators[i] && found < FIGURE_ALLOCATORS; i++) {
        if (!asked_is_real(store, allocators[i]))
            continue;
        struct time_point point = {
            allocators[i], colour++,
            time_median(store, trace, allocators[i], "throughput", "ns_per_op"),
            time_median(store, trace, allocators[i], "memory", "peak_rss_bytes")};
        if (point.ns > 0 && point.bytes > 0 && figure_shows(drawing, allocators[i]))
            points[found++] = point;
    }
    return found;
}

static bool time_is_dominated(const struct time_point *points, size_t count, size_t which)
{
    const struct time_point *it = &points[which];
    for (size_t i = 0; i < count; i++) {
        const struct time_point *other = &points[i];
        if (other->ns <= it->ns && other->bytes <= it->bytes &&
            (other->ns < it->ns || other->bytes < it->bytes))
            return true;
    }
    return false;
}

static int time_order(const void *a, const void *b)
{
    double left = ((const struct time_point *)a)->ns, right = ((const struct time_point *)b)->ns;
    return (left > right) - (left < right);
}

static int time_write_points(struct drawing *drawing, const struct time_point *points,
                             const struct figure_label *labels, size_t count,
                             const struct figure_axis *x, const struct figure_axis *y, double unit,
                             struct err *err)
{
    FILE *file = drawing_open(drawing, "points.txt", err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < count; i++) {
        const struct figure_label *label = &labels[i];
        double near = fmin(fmax(label->x, label->left), label->left + label->width);
        bool far = hypot(near - label->x, label->middle - label->y) > 24;
        fprintf(file, "%.10g\t%.10g\t%.10g\t%.10g\t%.10g\t%zu\t", points[i].ns,
                points[i].bytes / unit, figure_axis_value(x, label->left),
                figure_axis_value(y, label->middle) / unit, far ? figure_axis_value(x, near) : NAN,
                points[i].colour);
        drawing_text(file, points[i].allocator, TIME_NAME);
        fputc('\n', file);
    }
    return drawing_close(file, err);
}

static int time_write_front(struct drawing *drawing, struct time_point *points, size_t count,
                            double unit, struct err *err)
{
    FILE *file = drawing_open(drawing, "front.txt", err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < count; i++)
        if (!time_is_dominated(points, count, i))
            fprintf(file, "%.10g\t%.10g\n", points[i].ns, points[i].bytes / unit);
    return drawing_close(file, err);
}

/* What no allocator can be below; -1 where it is not known. */
static void time_floors(struct drawing *drawing, const struct store *store, const char *trace,
                        const char *any, double unit)
{
    double live = time_median(store, trace, any, "memory", "peak_live_bytes") / unit;
    double null = time_median(store, trace, "null", "throughput", "ns_per_op");
    drawing_set(drawing, "floor_live", isnan(live) ? -1 : live);
    drawing_set(drawing, "floor_null", isnan(null) ? -1 : null);
}

static void time_canvas(struct drawing *drawing)
{
    drawing_set(drawing, "width", FIGURE_WIDTH);
    drawing_set(drawing, "height", FIGURE_HEIGHT);
    drawing_set(drawing, "margin_left", (double)TIME_LEFT / FIGURE_WIDTH);
    drawing_set(drawing, "margin_right", 1 - (double)TIME_RIGHT / FIGURE_WIDTH);
    drawing_set(drawing, "margin_bottom", (double)TIME_BOTTOM / FIGURE_HEIGHT);
    drawing_set(drawing, "margin_top", 1 - (double)TIME_TOP / FIGURE_HEIGHT);
}

static int time_write(struct drawing *drawing, struct time_point *points, size_t count, double unit,
                      struct err *err)
{
    double ns[FIGURE_ALLOCATORS], bytes[FIGURE_ALLOCATORS];
    struct figure_label labels[FIGURE_ALLOCATORS];
    for (size_t i = 0; i < count; i++) {
        ns[i] = points[i].ns;
        bytes[i] = points[i].bytes;
    }
    struct figure_axis x = figure_axis_fit(ns, count, TIME_LEFT, FIGURE_WIDTH - TIME_RIGHT);
    struct figure_axis y = figure_axis_fit(bytes, count, TIME_BOTTOM, FIGURE_HEIGHT - TIME_TOP);
    for (size_t i = 0; i < count; i++) {
        double characters = fmin((double)text_columns(points[i].allocator), TIME_NAME);
        labels[i] = (struct figure_label){.x = figure_axis_pixel(&x, ns[i]),
                                          .y = figure_axis_pixel(&y, bytes[i]),
                                          .width = FIGURE_CHARACTER * characters};
    }
    figure_labels_place(labels, count, &x, &y);
    int failed = time_write_points(drawing, points, labels, count, &x, &y, unit, err);
    y.low /= unit;
    y.high /= unit;
    figure_axis_set(drawing, "x", &x);
    figure_axis_set(drawing, "y", &y);
    return failed ? failed : time_write_front(drawing, points, count, unit, err);
}

int figure_time_memory(struct drawing *drawing, const struct store *store, const char *trace,
                       struct err *err)
{
    struct time_point points[FIGURE_ALLOCATORS];
    const char **allocators = asked_allocators(store);
    size_t count = time_points(drawing, store, trace, allocators, points);
    free(allocators);
    if (!count)
        return 1;
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, points[i].bytes);
    qsort(points, count, sizeof *points, time_order);
    double unit = figure_unit_set(drawing, largest);
    time_canvas(drawing);
    time_floors(drawing, store, trace, points[0].allocator, unit);
    drawing_set(drawing, "count", (double)count);
    return time_write(drawing, points, count, unit, err);
}
