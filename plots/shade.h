/* The colour of a piece of a heap map. */
#ifndef PLOTS_SHADE_H
#define PLOTS_SHADE_H

#include <stdio.h>

#include "plots/drawing.h"

struct shade {
    unsigned char red, green, blue;
};

/* `live` and `resident` are shares of the piece's address space; where residency is not known (NaN)
 * what is live counts as resident. The colour tells how much of the resident bytes is live, from
 * gold (none) to dark violet (all), on a scale that the colour-blind read too; the less is
 * resident, the paler. Live but not resident (never written) is pale blue. */
struct shade shade_of(double live, double resident);

/* What stands for a gap in the address space. */
extern const struct shade shade_gap;

/* Writes the pixel for gnuplot's rgbimage. */
void shade_write(FILE *file, struct shade shade);

/* Writes legend.rgb: the scale from none to all, SHADE_LEGEND pixels wide and two high (gnuplot
 * draws no image of one line). */
enum { SHADE_LEGEND = 64 };
int shade_write_legend(struct drawing *drawing, struct err *err);

#endif
