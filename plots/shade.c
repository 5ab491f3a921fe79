/* The colour of a piece of a heap map. */
#include "plots/shade.h"

#include <math.h>

/* matplotlib's "plasma" (perceptually uniform, also for the colour-blind) from its end to all but
 * its lightest part, which could be taken for paper. */
static const struct shade shade_scale[] = {
    {252, 206, 37}, {240, 132, 76}, {204, 71, 120}, {126, 3, 168}, {13, 8, 135}};
enum { SHADE_LAST = sizeof shade_scale / sizeof *shade_scale - 1 };

static const struct shade shade_paper = {255, 255, 255}, shade_unwritten = {158, 202, 225};
const struct shade shade_gap = {200, 200, 200};

static unsigned char shade_between(double from, double to, double share)
{
    return (unsigned char)lround(from + (to - from) * share);
}

static struct shade shade_mix(struct shade from, struct shade to, double share)
{
    return (struct shade){shade_between(from.red, to.red, share),
                          shade_between(from.green, to.green, share),
                          shade_between(from.blue, to.blue, share)};
}

static struct shade shade_of_density(double density)
{
    double at = density * SHADE_LAST;
    int below = at >= SHADE_LAST ? SHADE_LAST - 1 : (int)at;
    return shade_mix(shade_scale[below], shade_scale[below + 1], at - below);
}

struct shade shade_of(double live, double resident)
{
    if (isnan(resident))
        resident = live;
    double unwritten = fmax(0, live - resident), shown = fmin(1, resident + unwritten);
    if (!(shown > 0))
        return shade_paper;
    double density = resident > 0 ? fmin(1, live / resident) : 0;
    struct shade ink =
        shade_mix(shade_of_density(density), shade_unwritten, fmin(1, unwritten / shown));
    /* A piece with anything in it is never shown as empty. */
    return shade_mix(shade_paper, ink, 0.2 + 0.8 * shown);
}

void shade_write(FILE *file, struct shade shade)
{
    fputc(shade.red, file);
    fputc(shade.green, file);
    fputc(shade.blue, file);
}

int shade_write_legend(struct drawing *drawing, struct err *err)
{
    FILE *file = drawing_open(drawing, "legend.rgb", err);
    if (!file)
        return -err->code;
    for (int i = 0; i < 2 * SHADE_LEGEND; i++)
        shade_write(file, shade_of_density((double)(i % SHADE_LEGEND) / (SHADE_LEGEND - 1)));
    return drawing_close(file, err);
}
