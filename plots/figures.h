/* The figures, in the order in which a report shows them. To add one: a script <name>.gp, a file
 * that writes its data, and a line here. */
#ifndef PLOTS_FIGURES_H
#define PLOTS_FIGURES_H

#include <stddef.h>
#include <stdio.h>

#include "harness/base/err.h"
#include "results/store.h"

/* FIGURE(symbol, name, one line, how to read it) */
#define FIGURES(FIGURE)                                                                            \
    FIGURE(time_memory, "time-memory",                                                             \
           "time against memory: one point an allocator, and the front that nothing dominates",    \
           "Lower left is better. On the grey line are the best trades there are: what is faster " \
           "takes more memory. Dotted lines are floors: what is live at most, and what replaying " \
           "alone takes.")                                                                         \
    FIGURE(                                                                                        \
        footprint, "footprint", "resident, virtual and live memory over the trace",                \
        "Grey is what the program has asked for and not freed. The nearer blue (resident) is to "  \
        "it, the less is wasted; blue that stays up where grey falls is memory that is kept.")     \
    FIGURE(memory, "memory", "requested, usable, held and resident bytes over the trace",          \
           "From grey (requested) up to green (usable) is rounding, from green to orange (held) "  \
           "lies in no block; blue is what is resident. Dotted is the floor of any allocator.")    \
    FIGURE(latency, "latency", "how long single calls take, by percentile",                        \
           "At 99 % stands what one call in a hundred exceeds; lower is better. Grey dotted "      \
           "lines are no competitors (null, layers), the lowest is the clock itself.")             \
    FIGURE(                                                                                        \
        calls, "calls", "how long calls take by operation and size",                               \
        "Thick bars reach from the median to what one call in a hundred exceeds, thin ones "       \
        "on to one in 100,000 where there are so many; rings are the slowest. Lower is better.")   \
    FIGURE(scaling, "scaling",                                                                     \
           "throughput against threads, where a run has several numbers of them",                  \
           "Higher is better. A line that rises scales; where it falls, threads wait for one "     \
           "another or for a core. Bars are from the slowest repetition to the fastest.")          \
    FIGURE(fragmentation, "fragmentation", "internal and external fragmentation over the trace",   \
           "Green is the share of the blocks' bytes that nobody asked for, orange the share of "   \
           "the heap that is in no live block. High shares where little is live mean little.")     \
    FIGURE(heapmap, "heapmap", "heap map: live and resident memory by address and time",           \
           "Addresses upwards, the trace from left to right. Gold is resident without a live "     \
           "byte, dark violet is all live. Gold that lasts is memory that is kept for nothing.")   \
    FIGURE(pagemap, "pagemap", "page map: the heap page by page at one moment",                    \
           "Gold pages could be given back; reddish ones are kept by the few blocks on them; "     \
           "dark violet ones are all live.")                                                       \
    FIGURE(unusable, "unusable", "free space: how large the holes are, and what they cannot hold", \
           "Bars tell in holes of which size the free bytes lie, the orange line the share of "    \
           "them that is of no use to a block of that size: the later it rises, the better.")      \
    FIGURE(                                                                                        \
        occupancy, "occupancy", "how much of each resident page is live",                          \
        "The more pages stand on the right, the fuller they are; those at 0 could be given back.") \
    FIGURE(classes, "classes", "size classes and what they lose to rounding",                      \
           "Blue bars tell in blocks of which size the memory is, orange what of them nobody "     \
           "asked for.")                                                                           \
    FIGURE(split, "split",                                                                         \
           "where the resident memory went at chosen moments ('bench explain' finds out)",         \
           "A bar is the resident heap of an allocator. Dark blue is what the program asked for; " \
           "the rest is what an allocator could save at most.")                                    \
    FIGURE(                                                                                        \
        lifetimes, "lifetimes", "what the trace asks for: how long blocks of each size live",      \
        "Dark cells are many blocks: at the bottom those that are freed soon, at the top those "   \
        "that live long. Both kinds of one size, side by side, are what fragments a heap.")        \
    FIGURE(sizes, "sizes", "what the trace asks for: request sizes and lifetimes",                 \
           "Above, how many requests and bytes are of each size; below, after how many "           \
           "operations blocks are freed.")                                                         \
    FIGURE(fidelity, "fidelity",                                                                   \
           "peak heap of the real program against what its replay foretold ('bench fidelity' "     \
           "measures both)",                                                                       \
           "On the diagonal the replay foretold the program exactly, in the band within 10 %; "    \
           "above it the replay took more memory than the program.")

enum figure_terminal { FIGURE_SVG, FIGURE_PNG, FIGURE_PDF, FIGURE_DUMB, FIGURE_TERMINALS };

extern const char *const figure_terminals[FIGURE_TERMINALS]; /* names; the ending of a file too */

size_t figure_count(void);
const char *figure_name(size_t figure);
const char *figure_summary(size_t figure);
const char *figure_reading(size_t figure); /* what to look for */

/* What the horizontal axis of a figure along the trace shows. */
enum figure_against { AGAINST_EVENTS, AGAINST_BYTES, AGAINST_TIME, AGAINST_KINDS };
extern const char *const figure_against[AGAINST_KINDS];

/* What of a run is shown, and how; all zero is all of it. */
struct figure_options {
    const char *const *allocators; /* specs, a NULL after the last; NULL: all */
    enum figure_against against;
    const char *moment;              /* of a census; NULL: peak-live */
    const volatile int *interrupted; /* no figure is drawn once it is not 0; NULL: it never is */
};

/* What figure_draw returns where a figure is not of this trace, and nothing is missing. */
enum { FIGURE_ELSEWHERE = 2 };

/* Draws a figure of one trace onto `out`. Returns 0, or 1 when the run holds nothing that it could
 * show (the pass was not measured), or FIGURE_ELSEWHERE, or -code with a sentence; -ENOENT when
 * gnuplot is missing, -EINTR when it was interrupted. */
int figure_draw(size_t figure, enum figure_terminal terminal, const struct figure_options *options,
                const struct store *store, const char *trace, FILE *out, struct err *err);

/* What the figure of a trace is of: the trace, or for scaling the load that it shows with one
 * number of threads. Borrowed from the arguments. */
const char *figure_subject(size_t figure, const struct store *store, const char *trace);

/* The same into folder/FIGURE.SUBJECT.KIND, the folder being made where it is missing; whole or not
 * there. The path is owned by the caller (free), whatever became of it. */
int figure_save(size_t figure, enum figure_terminal terminal, const struct figure_options *options,
                const struct store *store, const char *trace, const char *folder, char **path,
                struct err *err);

#endif
