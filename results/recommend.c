/* What would help: from rows to advice. */
#include "results/recommend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/asked.h"
#include "results/note.h"
#include "results/sample.h"

static const struct offer *recommend_base(const struct recommendation *all)
{
    const struct offer *fastest = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct offer *offer = &all->offers[i];
        if (*offer->doubt)
            continue;
        if (strcmp(offer->row->allocator, "system") == 0)
            return offer;
        if (!fastest || offer->row->ns_per_op < fastest->row->ns_per_op)
            fastest = offer;
    }
    return fastest;
}

/* Whether `a` is no worse than `b` in time and memory, and better in one. Times that are not known
 * decide nothing. */
static bool recommend_beats(const struct row *a, const struct row *b)
{
    bool slower = a->ns_per_op > b->ns_per_op, faster = a->ns_per_op < b->ns_per_op;
    return a->peak_rss_bytes <= b->peak_rss_bytes && !slower &&
           (faster || a->peak_rss_bytes < b->peak_rss_bytes);
}

static bool recommend_on_front(const struct recommendation *all, const struct offer *offer)
{
    for (size_t i = 0; i < all->count; i++)
        if (!*all->offers[i].doubt && recommend_beats(all->offers[i].row, offer->row))
            return false;
    return !*offer->doubt;
}

static bool recommend_saves(const struct offer *offer, const struct offer *against)
{
    return (double)offer->row->peak_rss_bytes <=
           (1 - RECOMMEND_WORTH) * (double)against->row->peak_rss_bytes;
}

/* The smallest on the front that saves against `against`, if need be only of those whose time shows
 * no loss. */
static const struct offer *recommend_smallest(const struct recommendation *all,
                                              const struct offer *against, bool without_loss)
{
    const struct offer *smallest = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct offer *offer = &all->offers[i];
        if (*offer->doubt || note_is_noisy(offer->row) || !recommend_saves(offer, against) ||
            (without_loss && !(offer->time.low <= 1)))
            continue;
        if (!smallest || recommend_beats(offer->row, smallest->row) ||
            offer->row->peak_rss_bytes < smallest->row->peak_rss_bytes)
            smallest = offer;
    }
    return smallest;
}

void recommend_judge(struct recommendation *recommendation)
{
    recommendation->base = recommend_base(recommendation);
    recommendation->advised = recommendation->further = NULL;
    if (!recommendation->base)
        return;
    for (size_t i = 0; i < recommendation->count; i++)
        recommendation->offers[i].on_front =
            recommend_on_front(recommendation, &recommendation->offers[i]);
    const struct offer *smallest = recommend_smallest(recommendation, recommendation->base, false);
    recommendation->advised = recommend_smallest(recommendation, recommendation->base, true);
    if (!recommendation->advised)
        recommendation->advised = smallest;
    if (recommendation->advised && recommend_saves(smallest, recommendation->advised))
        recommendation->further = smallest;
}

/* ---- from a run ------------------------------------------------------------------------------ */

static void recommend_doubt(struct offer *offer)
{
    const struct row *row = offer->row;
    char *doubt = offer->doubt;
    if (!row->real)
        snprintf(doubt, RECOMMEND_DOUBT, "not an allocator for use");
    else if (strcmp(row->status, "ok") != 0)
        snprintf(doubt, RECOMMEND_DOUBT, "%s", row->status);
    else if (!row->frees)
        snprintf(doubt, RECOMMEND_DOUBT, "never frees");
    else if (row_refused(row))
        snprintf(doubt, RECOMMEND_DOUBT, "refused allocations");
    else if (row->peak_rss_bytes == COUNT_UNKNOWN)
        snprintf(doubt, RECOMMEND_DOUBT, "its memory was not measured");
}

void recommend_rows(struct recommendation *out, const struct store *store, const struct row *rows,
                    size_t count)
{
    *out =
        (struct recommendation){.offers = calloc(count + 1, sizeof *out->offers), .count = count};
    if (!out->offers)
        err_no_memory("%zu offers", count);
    for (size_t i = 0; i < count; i++) {
        out->offers[i] = (struct offer){.row = &rows[i], .time = {NAN, NAN, NAN, false}};
        recommend_doubt(&out->offers[i]);
    }
    const struct offer *base = recommend_base(out);
    struct sample mine, its;
    for (size_t i = 0; base && i < count; i++) {
        sample_collect(&its, store, base->row->allocator, base->row->trace, "throughput",
                       "ns_per_op");
        sample_collect(&mine, store, rows[i].allocator, rows[i].trace, "throughput", "ns_per_op");
        out->offers[i].time = sample_ratio(&mine, &its, true, asked_seed(store));
        sample_release(&mine);
        sample_release(&its);
    }
    recommend_judge(out);
}

void recommend_release(struct recommendation *recommendation)
{
    free(recommendation->offers);
}
