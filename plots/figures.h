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
    FIGURE(memory, "memory", "requested, usable, held and resident bytes over the trace")          \
    FIGURE(latency, "latency", "how long single calls take, by percentile")                        \
    FIGURE(scaling, "scaling",                                                                     \
           "throughput against threads, where a run has several numbers of them")                  \
    FIGURE(fragmentation, "fragmentation", "internal and external fragmentation over the trace")   \
    FIGURE(heapmap, "heapmap", "heap map: live and resident memory by address and time")           \
    FIGURE(pagemap, "pagemap", "page map: the heap page by page at one moment")                    \
    FIGURE(unusable, "unusable", "free space: how large the holes are, and what they cannot hold") \
    FIGURE(occupancy, "occupancy", "how much of each resident page is live")                       \
    FIGURE(classes, "classes", "size classes and what they lose to rounding")                      \
    FIGURE(split, "split",                                                                         \
           "where the resident memory went at chosen moments ('bench explain' finds out)")         \
    FIGURE(lifetimes, "lifetimes", "what the trace asks for: how long blocks of each size live")   \
    FIGURE(sizes, "sizes", "what the trace asks for: request sizes and lifetimes")                 \
    FIGURE(fidelity, "fidelity",                                                                   \
           "peak heap of the real program against what its replay foretold ('bench fidelity' "     \
           "measures both)")

enum figure_terminal { FIGURE_SVG, FIGURE_PNG, FIGURE_PDF, FIGURE_DUMB, FIGURE_TERMINALS };

extern const char *const figure_terminals[FIGURE_TERMINALS]; /* names; the ending of a file too */

size_t figure_count(void);
const char *figure_name(size_t figure);
const char *figure_summary(size_t figure);

/* What the horizontal axis of a figure along the trace shows. */
enum figure_against { AGAINST_EVENTS, AGAINST_BYTES, AGAINST_TIME, AGAINST_KINDS };
extern const char *const figure_against[AGAINST_KINDS];

/* What of a run is shown, and how; all zero is all of it. */
struct figure_options {
    const char *const *allocators; /* specs, a NULL after the last; NULL: all */
    enum figure_against against;
    const char *moment; /* of a census; NULL: peak-live */
};

/* What figure_draw returns where a figure is not of this trace, and nothing is missing. */
enum { FIGURE_ELSEWHERE = 2 };

/* Draws a figure of one trace onto `out`. Returns 0, or 1 when the run holds nothing that it could
 * show (the pass was not measured), or FIGURE_ELSEWHERE, or -code with a sentence; -ENOENT when
 * gnuplot is missing. */
int figure_draw(size_t figure, enum figure_terminal terminal, const struct figure_options *options,
                const struct store *store, const char *trace, FILE *out, struct err *err);

/* The same into folder/FIGURE.TRACE.KIND, the folder being made where it is missing; whole or not
 * there. The path is owned by the caller (free), whatever became of it. */
int figure_save(size_t figure, enum figure_terminal terminal, const struct figure_options *options,
                const struct store *store, const char *trace, const char *folder, char **path,
                struct err *err);

#endif
