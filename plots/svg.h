/* gnuplot's SVG, fit to stand with others in one HTML file. */
#ifndef PLOTS_SVG_H
#define PLOTS_SVG_H

#include <stdio.h>

/* Writes the <svg> element of `svg` without what precedes it; `prefix` goes before every id and
 * every reference to one, so that two figures never share one. */
void svg_inline(FILE *out, const char *svg, const char *prefix);

#endif
