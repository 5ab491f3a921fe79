/* Axes whose pixels are known, so that labels can be placed before gnuplot draws them. */
#include <math.h>

#include "plots/figure.h"

/* Wider than this and equal steps would press the small values together. */
#define AXIS_LINEAR_SPAN 8.0

struct figure_axis figure_axis_fit(const double *values, size_t count, double first_px,
                                   double last_px)
{
    double low = values[0], high = values[0];
    for (size_t i = 1; i < count; i++) {
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    struct figure_axis axis = {low, high, low > 0 && high / low > AXIS_LINEAR_SPAN, first_px,
                               last_px};
    if (axis.logarithmic) {
        double room = pow(high / low, 0.10);
        axis.low = low / room;
        axis.high = high * room;
    } else {
        double room = high > low ? 0.12 * (high - low) : 0.1 * fabs(high) + 1e-9;
        axis.low = low > 0 ? fmax(0, low - room) : low - room;
        axis.high = high + room;
    }
    return axis;
}

double figure_axis_pixel(const struct figure_axis *axis, double value)
{
    double share = axis->logarithmic ? log(value / axis->low) / log(axis->high / axis->low)
                                     : (value - axis->low) / (axis->high - axis->low);
    return axis->first_px + share * (axis->last_px - axis->first_px);
}

double figure_axis_value(const struct figure_axis *axis, double pixel)
{
    double share = (pixel - axis->first_px) / (axis->last_px - axis->first_px);
    return axis->logarithmic ? axis->low * pow(axis->high / axis->low, share)
                             : axis->low + share * (axis->high - axis->low);
}

void figure_axis_set(struct drawing *drawing, const char *name, const struct figure_axis *axis)
{
    char setting[64];
    snprintf(setting, sizeof setting, "%s_low", name);
    drawing_set(drawing, setting, axis->low);
    snprintf(setting, sizeof setting, "%s_high", name);
    drawing_set(drawing, setting, axis->high);
    snprintf(setting, sizeof setting, "%s_log", name);
    drawing_set(drawing, setting, axis->logarithmic);
}
