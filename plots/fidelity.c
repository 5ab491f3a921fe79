/* The peak heap of the real program against what its replay foretold: one point an allocator, the
 * diagonal, and a band of 10 % on both sides.
 *
 * points.txt: of the real and the foretold peak, as scatter_write() does */
#include "results/fidelity.h"

#include <math.h>

#include "plots/scatter.h"
#include "results/asked.h"

static size_t fidelity_points(const struct drawing *drawing, const struct store *store,
                              const struct fidelity *fidelity, struct scatter_point *points)
{
    size_t found = 0, colour = 0;
    for (size_t i = 0; i < fidelity->count && found < FIGURE_ALLOCATORS; i++) {
        const struct fidelity_row *row = &fidelity->rows[i];
        struct scatter_point point = {row->allocator, colour, row->heap_bytes, row->replayed_bytes};
        colour += asked_is_real(store, row->allocator);
        if (point.x > 0 && point.y > 0 && figure_shows(drawing, row->allocator))
            points[found++] = point;
    }
    return found;
}

static int fidelity_draw(struct drawing *drawing, const struct scatter_point *points, size_t count,
                         struct err *err)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fmax(points[i].x, points[i].y));
    double unit = figure_unit_set(drawing, largest);
    struct scatter scatter = scatter_fit(points, count, unit, unit, true);
    scatter_canvas(drawing);
    drawing_set(drawing, "band", FIDELITY_ERROR);
    return scatter_write(drawing, &scatter, points, count, err);
}

int figure_fidelity(struct drawing *drawing, const struct store *store, const char *trace,
                    struct err *err)
{
    struct scatter_point points[FIGURE_ALLOCATORS];
    if (!fidelity_is_asked(store, trace))
        return FIGURE_ELSEWHERE;
    struct fidelity fidelity = fidelity_of(store, trace);
    size_t count = fidelity_points(drawing, store, &fidelity, points);
    int status = count ? fidelity_draw(drawing, points, count, err) : 1;
    fidelity_release(&fidelity);
    return status;
}
