/* Time against memory: one point an allocator, and the front that nothing dominates.
 *
 * points.txt: of ns/op and peak RSS, as scatter_write() does
 * front.txt: the points that are neither slower nor larger than another, by time; what did less
 * than was asked is shown, but is no competitor */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots/scatter.h"
#include "results/asked.h"
#include "results/sample.h"

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
                          const char *trace, const char **allocators, struct scatter_point *points)
{
    size_t found = 0, colour = 0;
    for (size_t i = 0; allocators[i] && found < FIGURE_ALLOCATORS; i++) {
        if (!asked_is_real(store, allocators[i]))
            continue;
        struct scatter_point point = {
            allocators[i], colour++,
            time_median(store, trace, allocators[i], "throughput", "ns_per_op"),
            time_median(store, trace, allocators[i], "memory", "peak_rss_bytes")};
        if (point.x > 0 && point.y > 0 && figure_shows(drawing, allocators[i]))
            points[found++] = point;
    }
    return found;
}

/* Whether it did the whole work: see row_did_less. */
static bool time_competes(const struct store *store, const char *trace, const char *allocator)
{
    double failed = time_median(store, trace, allocator, "memory", "failed_allocations");
    return asked_frees(store, allocator) && !(failed > 0);
}

static bool time_is_on_front(const struct store *store, const char *trace,
                             const struct scatter_point *points, size_t count, size_t which)
{
    const struct scatter_point *it = &points[which];
    for (size_t i = 0; i < count; i++) {
        const struct scatter_point *other = &points[i];
        if (!time_competes(store, trace, other->name))
            continue;
        if (other->x <= it->x && other->y <= it->y && (other->x < it->x || other->y < it->y))
            return false;
    }
    return time_competes(store, trace, it->name);
}

static int time_order(const void *a, const void *b)
{
    double left = ((const struct scatter_point *)a)->x,
           right = ((const struct scatter_point *)b)->x;
    return (left > right) - (left < right);
}

static int time_write_front(struct drawing *drawing, const struct store *store, const char *trace,
                            const struct scatter_point *points, size_t count, double unit,
                            struct err *err)
{
    FILE *file = drawing_open(drawing, "front.txt", err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < count; i++)
        if (time_is_on_front(store, trace, points, count, i))
            fprintf(file, "%.10g\t%.10g\n", points[i].x, points[i].y / unit);
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

int figure_time_memory(struct drawing *drawing, const struct store *store, const char *trace,
                       struct err *err)
{
    struct scatter_point points[FIGURE_ALLOCATORS];
    const char **allocators = asked_allocators(store);
    size_t count = time_points(drawing, store, trace, allocators, points);
    free(allocators);
    if (!count)
        return 1;
    /* Of most allocators, and of the floor: one that keeps everything needs no unit of its own. */
    double least = INFINITY;
    for (size_t i = 0; i < count; i++)
        least = fmin(least, points[i].y);
    qsort(points, count, sizeof *points, time_order);
    double unit = figure_unit_set(drawing, least);
    scatter_canvas(drawing);
    time_floors(drawing, store, trace, points[0].name, unit);
    struct scatter scatter = scatter_fit(points, count, 1, unit, false);
    int failed = scatter_write(drawing, &scatter, points, count, err);
    return failed ? failed : time_write_front(drawing, store, trace, points, count, unit, err);
}
