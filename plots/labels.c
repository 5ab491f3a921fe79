/* Labels that cover neither points nor each other. */
#include <math.h>

#include "plots/figure.h"

/* Of DejaVu Sans, in hundredths of its size, from the space on; of others about. */
static const unsigned char labels_widths[] = {
    32, 40, 46, 84, 64, 95, 78, 27, 39,  39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79,
    60, 79, 69, 63, 61, 73, 68, 99, 69,  61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63,
    63, 28, 28, 58, 28, 97, 63, 61, 63,  63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84};
enum { LABELS_FONT = 12, LABELS_WIDTH = 65 };

double figure_text_width(const char *text, size_t columns)
{
    double width = 0;
    size_t written = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c & 0xc0) == 0x80)
            continue; /* the rest of a character */
        if (written++ == columns)
            break;
        bool known = c >= ' ' && c - ' ' < (int)sizeof labels_widths;
        width += known ? labels_widths[c - ' '] : LABELS_WIDTH;
    }
    return width * LABELS_FONT / 100;
}

struct labels_box {
    double left, right, low, high;
};

/* How much two boxes overlap, in square pixels. */
static double labels_overlap(struct labels_box a, struct labels_box b)
{
    double width = fmin(a.right, b.right) - fmax(a.left, b.left);
    double height = fmin(a.high, b.high) - fmax(a.low, b.low);
    return width > 0 && height > 0 ? width * height : 0;
}

static struct labels_box labels_text_box(const struct figure_label *label)
{
    return (struct labels_box){label->left, label->left + label->width,
                               label->middle - FIGURE_LINE / 2.0,
                               label->middle + FIGURE_LINE / 2.0};
}

static struct labels_box labels_point_box(const struct figure_label *label)
{
    enum { POINT = 6 };
    return (struct labels_box){label->x - POINT, label->x + POINT, label->y - POINT,
                               label->y + POINT};
}

/* A circle of places around the point; a text to its left ends there, else it begins there. */
enum { LABELS_DIRECTIONS = 12, LABELS_RINGS = 9 };

static void labels_try(struct figure_label *label, int ring, int direction)
{
    double radius = 10 + 11 * ring, angle = 2 * M_PI * direction / LABELS_DIRECTIONS;
    double dx = radius * cos(angle), dy = radius * sin(angle);
    double share = dx > 1 ? 0 : dx < -1 ? 1 : 0.5;
    label->left = label->x + dx - share * label->width;
    label->middle = label->y + dy;
}

static double labels_cost(const struct figure_label *labels, size_t count, size_t placed,
                          const struct figure_label *label, struct labels_box canvas)
{
    struct labels_box box = labels_text_box(label);
    double area = label->width * FIGURE_LINE, cost = 0;
    cost += 10 * (area - labels_overlap(box, canvas));
    for (size_t i = 0; i < count; i++)
        cost += 4 * labels_overlap(box, labels_point_box(&labels[i]));
    for (size_t i = 0; i < placed; i++)
        cost += 4 * labels_overlap(box, labels_text_box(&labels[i]));
    return cost;
}

void figure_labels_place(struct figure_label *labels, size_t count, const struct figure_axis *x,
                         const struct figure_axis *y)
{
    struct labels_box canvas = {x->first_px, x->last_px, y->first_px, y->last_px};
    for (size_t i = 0; i < count; i++) {
        struct figure_label best = labels[i];
        double least = INFINITY;
        for (int ring = 0; ring < LABELS_RINGS; ring++)
            for (int direction = 0; direction < LABELS_DIRECTIONS; direction++) {
                struct figure_label candidate = labels[i];
                labels_try(&candidate, ring, direction);
                double cost = 12.0 * ring + labels_cost(labels, count, i, &candidate, canvas);
                if (cost < least) {
                    least = cost;
                    best = candidate;
                }
            }
        labels[i] = best;
    }
}

void figure_spread(double *heights, size_t count, double gap, double low, double high)
{
    enum { ROUNDS = 400 };
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < count; j++) {
                double apart = heights[i] - heights[j];
                /* Ties are broken by place, so that equal heights part too. */
                bool above = apart > 0 || (apart == 0 && i > j);
                if (i != j && fabs(apart) < gap) {
                    double push = (gap - fabs(apart)) / 4;
                    heights[i] += above ? push : -push;
                    heights[j] -= above ? push : -push;
                }
            }
            heights[i] = fmin(fmax(heights[i], low), high);
        }
}

int figure_names_write(struct drawing *drawing, const struct figure_name *names, size_t count,
                       size_t columns, const struct figure_axis *y, struct err *err)
{
    double heights[FIGURE_ALLOCATORS];
    for (size_t i = 0; i < count; i++)
        heights[i] = figure_axis_pixel(y, names[i].value);
    double gap = fmin(FIGURE_LINE + 1, (y->last_px - y->first_px) / (double)count);
    figure_spread(heights, count, gap, y->first_px + gap / 2, y->last_px - gap / 2);
    FILE *file = drawing_open(drawing, "names.txt", err);
    if (!file)
        return -err->code;
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "%.10g\t%d\t", figure_axis_value(y, heights[i]), names[i].colour);
        drawing_text(file, names[i].text, columns);
        fputc('\n', file);
    }
    return drawing_close(file, err);
}
