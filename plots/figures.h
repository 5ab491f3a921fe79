/* The figures, in the order in which a report shows them. To add one: a script <name>.gp, a file
 * that writes its data, and a line here. */
#ifndef PLOTS_FIGURES_H
#define PLOTS_FIGURES_H

#include <stddef.h>
#include <stdio.h>

#include "harness/base/err.h"
#include "results/store.h"

/* FIGURE(symbol, name, one line) */
#define FIGURES(FIGURE)                                                                            \
    FIGURE(time_memory, "time-memory",                                                             \
           "time against memory: one point an allocator, and the front that nothing dominates")    \
    FIGURE(footprint, "footprint", "resident, virtual and live memory over the trace")             \
    FIGURE(latency, "latency", "how long single calls take, by percentile")                        \
    FIGURE(fragmentation, "fragmentation", "internal and external fragmentation over the trace")   \
    FIGURE(heapmap, "heapmap", "heap map: live bytes by address and time")                         \
    FIGURE(sizes, "sizes", "what the trace asks for: request sizes and lifetimes")

enum figure_terminal { FIGURE_SVG, FIGURE_PNG, FIGURE_PDF, FIGURE_DUMB, FIGURE_TERMINALS };

extern const char *const figure_terminals[FIGURE_TERMINALS]; /* names; the ending of a file too */

size_t figure_count(void);
const char *figure_name(size_t figure);
const char *figure_summary(size_t figure);

/* Draws a figure of one trace onto `out`. Returns 0, or 1 when the run holds nothing that it could
 * show (the pass was not measured), or -code with a sentence; -ENOENT when gnuplot is missing. */
int figure_draw(size_t figure, enum figure_terminal terminal, const struct store *store,
                const char *trace, FILE *out, struct err *err);

#endif
