/* What would help: which of the specs that a run tried shrinks the peak, what it costs in time, and
 * under which conditions that was seen; or that none does, and why.
 *
 * The base is `system` where it was measured, else the fastest. Helping is a peak RSS that is lower
 * by more than RECOMMEND_WORTH: the memory pass runs once, and less is not told from chance.
 * Advised is the smallest of those whose time shows no loss; where all show one, the smallest, with
 * its price. What is doubtful is never advised: what failed, refused allocations, never frees, is
 * no allocator for use, or whose time is noisy. */
#ifndef RESULTS_RECOMMEND_H
#define RESULTS_RECOMMEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "results/record.h"
#include "results/statistics.h"
#include "results/store.h"

#define RECOMMEND_WORTH 0.05

enum { RECOMMEND_DOUBT = 200, RECOMMEND_SENTENCES = 4, RECOMMEND_TEXT = 2000 };

/* What an allocator offers against the base. */
struct offer {
    const struct row *row;       /* borrowed */
    struct interval time;        /* ns_per_op over the base's; NaN where one was not measured */
    char doubt[RECOMMEND_DOUBT]; /* why it is not considered, "" it is */
    bool on_front;               /* of all considered, none is both as fast and as small */
};

/* Of one trace. */
struct recommendation {
    struct offer *offers; /* owned; one a row */
    size_t count;
    const struct offer *base;    /* among `offers`; NULL: nothing to compare with */
    const struct offer *advised; /* NULL: nothing here helps */
    const struct offer *further; /* smaller still, at a price; or NULL */
};

/* Fills in everything but the offers' `row`, `time` and `doubt`. */
void recommend_judge(struct recommendation *recommendation);

/* Of the rows of one trace. Released by the caller. */
void recommend_rows(struct recommendation *out, const struct store *store, const struct row *rows,
                    size_t count);
void recommend_release(struct recommendation *recommendation);

/* Plain sentences: the advice or why there is none; what is smaller still; the conditions; what was
 * not considered. "" for what has nothing to say; all are "" where there is nothing to compare. */
void recommend_words(const struct recommendation *recommendation, const struct store *store,
                     char lines[RECOMMEND_SENTENCES][RECOMMEND_TEXT]);

/* An object: trace, base, advised and further (specs or null), their figures under `offers`, and
 * the sentences. Owned by the caller. */
json_t *recommend_json(const struct recommendation *recommendation, const struct store *store);

#endif
