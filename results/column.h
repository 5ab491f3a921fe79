/* How the figures of a row are shown to people: one list for text, Markdown and HTML. */
#ifndef RESULTS_COLUMN_H
#define RESULTS_COLUMN_H

#include <stdbool.h>
#include <stddef.h>

#include "results/record.h"

enum { COLUMN_TEXT = 64 };

/* What belongs together; sets of groups are sums. */
enum column_group {
    COLUMN_SPEED = 1,
    COLUMN_MEMORY = 2,
    COLUMN_FLOOR = 4,   /* what is held against its limits */
    COLUMN_HOLES = 8,   /* where most is live: what lies between blocks, and on pages */
    COLUMN_NET = 16,    /* latency less the clock's own cost */
    COLUMN_KERNEL = 32, /* what the kernel did meanwhile */
    COLUMN_LATENCY = 64,
    COLUMN_TIME = COLUMN_SPEED | COLUMN_LATENCY,
};

struct column {
    const char *title;
    enum column_group group;
    bool optional;    /* comes only with a figure, not with its group */
    const char *help; /* what the figure is, in a sentence */
    /* Writes the figure, "-" where it was not measured. */
    void (*write)(char out[COLUMN_TEXT], const struct row *row);
};

extern const struct column columns[];
extern const size_t column_count;

/* The columns of some groups of which a row has the figure; and where `promised`, those that
 * scripts count on, which come with any other of their group. */
enum { COLUMNS_MOST = 56 };
struct columns_shown {
    const struct column *at[COLUMNS_MOST];
    size_t count;
};
struct columns_shown columns_shown(const struct row *rows, size_t count, unsigned groups,
                                   bool promised);

/* Whether the row has any figure to show. */
bool column_any(const struct row *row);

/* What the marks of the relative times mean, in a line without its stop; NULL where there are none.
 */
const char *column_legend(const struct row *rows, size_t count);

/* Whether any row holds its most where hardly anything is live, so that JW3 is a ratio to next to
 * nothing: its column says "no load" then (the figure itself is in JSON and CSV). */
bool column_any_unladen(const struct row *rows, size_t count);
#define COLUMN_NO_LOAD                                                                             \
    "JW3: 'no load' where less than 5 % of the peak is live when most is held, as when an "        \
    "allocator takes its memory at the start: held / live is a ratio to next to nothing then"

#endif
