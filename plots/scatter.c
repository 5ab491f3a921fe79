/* Points with their names beside them. */
#include "plots/scatter.h"

#include <math.h>

enum { SCATTER_NAME = 36 };

void scatter_canvas(struct drawing *drawing)
{
    drawing_set(drawing, "width", FIGURE_WIDTH);
    drawing_set(drawing, "height", FIGURE_HEIGHT);
    drawing_set(drawing, "margin_left", (double)SCATTER_LEFT / FIGURE_WIDTH);
    drawing_set(drawing, "margin_right", 1 - (double)SCATTER_RIGHT / FIGURE_WIDTH);
    drawing_set(drawing, "margin_bottom", (double)SCATTER_BOTTOM / FIGURE_HEIGHT);
    drawing_set(drawing, "margin_top", 1 - (double)SCATTER_TOP / FIGURE_HEIGHT);
}

struct scatter scatter_fit(const struct scatter_point *points, size_t count, double x_unit,
                           double y_unit, bool equal)
{
    double x[2 * FIGURE_ALLOCATORS], y[2 * FIGURE_ALLOCATORS];
    for (size_t i = 0; i < count; i++) {
        x[i] = points[i].x;
        y[i] = points[i].y;
        x[count + i] = points[i].y;
        y[count + i] = points[i].x;
    }
    size_t values = equal ? 2 * count : count;
    return (struct scatter){
        .x = figure_axis_fit(x, values, SCATTER_LEFT, FIGURE_WIDTH - SCATTER_RIGHT),
        .y = figure_axis_fit(y, values, SCATTER_BOTTOM, FIGURE_HEIGHT - SCATTER_TOP),
        .x_unit = x_unit,
        .y_unit = y_unit,
    };
}

static int scatter_write_points(struct drawing *drawing, const struct scatter *scatter,
                                const struct scatter_point *points,
                                const struct figure_label *labels, size_t count, struct err *err)
{
    FILE *file = drawing_open(drawing, "points.txt", err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < count; i++) {
        const struct figure_label *label = &labels[i];
        double near = fmin(fmax(label->x, label->left), label->left + label->width);
        bool far = hypot(near - label->x, label->middle - label->y) > 24;
        fprintf(file, "%.10g\t%.10g\t%.10g\t%.10g\t%.10g\t%zu\t", points[i].x / scatter->x_unit,
                points[i].y / scatter->y_unit,
                figure_axis_value(&scatter->x, label->left) / scatter->x_unit,
                figure_axis_value(&scatter->y, label->middle) / scatter->y_unit,
                far ? figure_axis_value(&scatter->x, near) / scatter->x_unit : NAN,
                points[i].colour);
        drawing_text(file, points[i].name, SCATTER_NAME);
        fputc('\n', file);
    }
    return drawing_close(file, err);
}

static void scatter_set_axis(struct drawing *drawing, const char *name, struct figure_axis axis,
                             double unit)
{
    axis.low /= unit;
    axis.high /= unit;
    figure_axis_set(drawing, name, &axis);
}

int scatter_write(struct drawing *drawing, const struct scatter *scatter,
                  const struct scatter_point *points, size_t count, struct err *err)
{
    struct figure_label labels[FIGURE_ALLOCATORS];
    for (size_t i = 0; i < count; i++) {
        labels[i] = (struct figure_label){.x = figure_axis_pixel(&scatter->x, points[i].x),
                                          .y = figure_axis_pixel(&scatter->y, points[i].y),
                                          .width = figure_text_width(points[i].name, SCATTER_NAME)};
    }
    figure_labels_place(labels, count, &scatter->x, &scatter->y);
    scatter_set_axis(drawing, "x", scatter->x, scatter->x_unit);
    scatter_set_axis(drawing, "y", scatter->y, scatter->y_unit);
    drawing_set(drawing, "count", (double)count);
    return scatter_write_points(drawing, scatter, points, labels, count, err);
}
