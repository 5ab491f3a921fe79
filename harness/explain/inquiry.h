/* Asks one allocator on one trace what its heap looked like at some moments: a replay that looks
 * for the peaks, and one that stops. */
#ifndef HARNESS_EXPLAIN_INQUIRY_H
#define HARNESS_EXPLAIN_INQUIRY_H

#include "harness/cell.h"
#include "harness/explain/scene.h"

enum moment_kind { MOMENT_EVENT, MOMENT_TIME, MOMENT_PEAK_RSS, MOMENT_PEAK_LIVE, MOMENT_END };

struct moment {
    enum moment_kind kind;
    char at[64];      /* as it was asked for */
    uint64_t event;   /* UINT64_MAX: not known (yet) */
    uint64_t time_ns; /* of MOMENT_TIME */
};

/* "peak-rss", "peak-live", "end", a whole number (so many events) or a time with its unit. */
int moment_parse(struct moment *moment, const char *text, struct err *err);

struct inquiry {
    struct cell cell; /* what to replay; its pass and moments are set here */
    struct moment moments[MOMENTS_MAX];
    size_t count;
    uint64_t events, duration_ns; /* of the trace */
    bool times;                   /* it has time stamps */
    const volatile int *interrupted;
    struct cell_result result; /* of the last replay: its status tells how far it came */
    uint64_t peak_rss;         /* of the replay that looked for the peak, or unknown */
};

/* Fills the facts of the trace from its file. */
int inquiry_open(struct inquiry *inquiry, struct err *err);

/* Refuses moments that the trace does not have, and finds the peaks. -ECANCELED where the allocator
 * did not come to the end: result.status says why. */
int inquiry_resolve(struct inquiry *inquiry, struct err *err);

/* The worker rests. Borrowed for the call; non-zero ends the replay. */
typedef int inquiry_visitor(void *arg, const struct moment *moment, const struct scene *scene,
                            const struct moments_area *at, struct err *err);

/* Replays and stops at the moments. `left_out` tells what to leave out of the replay (its stops are
 * ignored), NULL nothing. -ECANCELED as above. */
int inquiry_ask(struct inquiry *inquiry, const struct moments_request *left_out,
                inquiry_visitor *visit, void *arg, struct err *err);

#endif
