/* What one cell measured, as plain memory: the worker fills it in a page shared with its parent, so
 * that a crash leaves what was known by then. No dependency: the worker links this. */
#ifndef RESULTS_CELL_H
#define RESULTS_CELL_H

#include <math.h>
#include <stdint.h>

#include "results/fields.h"

struct cell_result {
    CELL_FIELDS(FIELD_TEXT, FIELD_COUNT, FIELD_REAL)
};

#define COUNT_UNKNOWN UINT64_MAX
#define REAL_UNKNOWN ((double)NAN)

/* Every figure of `result` unmeasured, every text empty. */
#define FIELD_CLEAR_TEXT(name, length, help) result->name[0] = '\0';
#define FIELD_CLEAR_COUNT(name, unit, help) result->name = COUNT_UNKNOWN;
#define FIELD_CLEAR_REAL(name, unit, help) result->name = REAL_UNKNOWN;
static inline void cell_result_clear(struct cell_result *result)
{
    CELL_FIELDS(FIELD_CLEAR_TEXT, FIELD_CLEAR_COUNT, FIELD_CLEAR_REAL)
}

/* A latency less what the clock itself costs; a call that is told as quicker than one that does
 * nothing took no time that can be told. Unknown where either is. */
static inline double latency_net_ns(double ns, double clock_cost_ns)
{
    double net = ns - clock_cost_ns;
    return net < 0 ? 0 : net;
}

/* One sample of the memory pass: a line of series/<cell>.csv. Bytes; UINT64_MAX unknown. */
struct cell_sample {
    uint64_t event;     /* operations done */
    uint64_t time_ns;   /* of the trace, 0 without times */
    uint64_t allocated; /* bytes requested so far in all */
    uint64_t live;      /* R */
    uint64_t usable;    /* U */
    uint64_t held;      /* H */
    uint64_t resident;  /* P */
    uint64_t lazyfree;  /* LazyFree, where read, else unknown */
    uint64_t rss;       /* of the whole process */
    uint64_t vsz;       /* of the whole process */
    uint64_t blocks;    /* live blocks */
};

#endif
