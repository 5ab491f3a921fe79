/* What would help: which of the specs that a run tried is better than the base at no price, which
 * is for a price, what that price is, and under which conditions it was seen; or that none is, and
 * why.
 *
 * The base is `system` where it was measured, else the fastest. A difference in time is one that
 * the interval of the ratio shows, which is as wide as the repetitions spread; in memory, one of
 * RECOMMEND_WORTH, since its pass runs once and less is not told from chance. Advised is what
 * takes less of one and no more of the other, the least product of both first of all. Beside it
 * stand the fastest and the smallest, where they gain RECOMMEND_WORTH more than what is advised;
 * of those that are not told apart in what they are best at, the cheapest in the other. What is
 * doubtful is never named: what failed, refused allocations, never frees, or is no allocator for
 * use; nor a saving of memory whose price in time the repetitions leave open. Of a run without a
 * memory pass the fastest is named for time, its price in memory as not measured. */
#ifndef RESULTS_RECOMMEND_H
#define RESULTS_RECOMMEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "results/record.h"
#include "results/statistics.h"
#include "results/store.h"

#define RECOMMEND_WORTH 0.05

/* Up to this share more time may be behind "no difference in time". */
#define RECOMMEND_OPEN 0.10

enum { RECOMMEND_DOUBT = 200, RECOMMEND_TEXT = 2000 };

/* Of recommend_words: the advice, and from RECOMMEND_NOTES on what goes with it. */
enum { RECOMMEND_NOTES = 3, RECOMMEND_SENTENCES = 5 };

/* What an allocator offers against the base. */
struct offer {
    const struct row *row;       /* borrowed */
    struct interval time;        /* ns_per_op over the base's; NaN where one was not measured */
    struct interval behind;      /* likewise over that of the fastest that is considered */
    char doubt[RECOMMEND_DOUBT]; /* why it is not considered, "" it is */
    bool on_front;               /* of all considered, none is both as fast and as small */
};

/* Of one trace. */
struct recommendation {
    struct offer *offers; /* owned; one a row */
    size_t count;
    const struct offer *base;    /* among `offers`; NULL: nothing to compare with */
    const struct offer *advised; /* at no price; NULL: none is */
    const struct offer *time;    /* faster still, or for an unknown price; or NULL */
    const struct offer *memory;  /* smaller still; or NULL */
};

/* Of time or memory, against the base's. */
enum change {
    CHANGE_UNKNOWN, /* not measured, or measured once */
    CHANGE_OPEN,    /* the repetitions spread too much to tell */
    CHANGE_LESS,
    CHANGE_NONE,
    CHANGE_MORE,
};

enum change recommend_time(const struct offer *offer);
enum change recommend_memory(const struct offer *offer, const struct offer *base);

/* Fills in everything but the offers' `row`, `time`, `behind` and `doubt`. */
void recommend_judge(struct recommendation *recommendation);

/* Of the rows of one trace. Released by the caller. */
void recommend_rows(struct recommendation *out, const struct store *store, const struct row *rows,
                    size_t count);
void recommend_release(struct recommendation *recommendation);

/* Plain sentences: what is advised at no price, or why nothing is; what is faster still; what is
 * smaller still; the conditions; what was not considered. "" for what has nothing to say; all are
 * "" where there is nothing to compare. */
void recommend_words(const struct recommendation *recommendation, const struct store *store,
                     char lines[RECOMMEND_SENTENCES][RECOMMEND_TEXT]);

/* "tcmalloc: -18 % time, -18 % memory"; what is gained comes first. UTF-8: the signs stay
 * with their numbers. */
void recommend_brief(char text[RECOMMEND_TEXT], const struct recommendation *recommendation,
                     const struct offer *offer);

/* An object: trace, base, advised, for_time and for_memory (specs or null), their figures under
 * `offers`, and the sentences. Owned by the caller. */
json_t *recommend_json(const struct recommendation *recommendation, const struct store *store);

#endif
