/* What would help: from rows to advice. */
#include "results/recommend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/asked.h"
#include "results/sample.h"

/* Of those that are considered; any where no time is known, NULL where there is none. */
static const struct offer *recommend_fastest(const struct recommendation *all)
{
    const struct offer *fastest = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct offer *offer = &all->offers[i];
        if (!*offer->doubt && (!fastest || isnan(fastest->row->ns_per_op) ||
                               offer->row->ns_per_op < fastest->row->ns_per_op))
            fastest = offer;
    }
    return fastest;
}

static const struct offer *recommend_base(const struct recommendation *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (!*all->offers[i].doubt && strcmp(all->offers[i].row->allocator, "system") == 0)
            return &all->offers[i];
    return recommend_fastest(all);
}

static bool recommend_sized(const struct offer *offer)
{
    return offer->row->peak_rss_bytes != COUNT_UNKNOWN;
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

enum change recommend_time(const struct offer *offer)
{
    const struct interval *time = &offer->time;
    if (isnan(time->low))
        return CHANGE_UNKNOWN;
    if (time->low > 1)
        return CHANGE_MORE;
    if (time->high < 1 && time->ratio <= 1 - RECOMMEND_WORTH)
        return CHANGE_LESS;
    return time->high <= 1 + RECOMMEND_OPEN ? CHANGE_NONE : CHANGE_OPEN;
}

static double recommend_size(const struct offer *offer, const struct offer *base)
{
    return (double)offer->row->peak_rss_bytes / (double)base->row->peak_rss_bytes;
}

enum change recommend_memory(const struct offer *offer, const struct offer *base)
{
    if (!recommend_sized(offer) || !recommend_sized(base))
        return CHANGE_UNKNOWN;
    double ratio = recommend_size(offer, base);
    if (ratio <= 1 - RECOMMEND_WORTH)
        return CHANGE_LESS;
    return ratio >= 1 + RECOMMEND_WORTH ? CHANGE_MORE : CHANGE_NONE;
}

/* Whether it takes less of one and no more of the other. */
static bool recommend_is_free(const struct offer *offer, const struct offer *base)
{
    enum change time = recommend_time(offer), memory = recommend_memory(offer, base);
    return (time == CHANGE_LESS && (memory == CHANGE_LESS || memory == CHANGE_NONE)) ||
           (time == CHANGE_NONE && memory == CHANGE_LESS);
}

static bool recommend_is_both(const struct offer *offer, const struct offer *base)
{
    return recommend_time(offer) == CHANGE_LESS && recommend_memory(offer, base) == CHANGE_LESS;
}

static const struct offer *recommend_free(const struct recommendation *all)
{
    const struct offer *best = NULL;
    double least = INFINITY;
    bool both = false;
    for (size_t i = 0; i < all->count; i++) {
        const struct offer *offer = &all->offers[i];
        if (*offer->doubt || !recommend_is_free(offer, all->base))
            continue;
        double product = offer->time.ratio * recommend_size(offer, all->base);
        bool mine = recommend_is_both(offer, all->base);
        if (best && (mine != both ? !mine : product >= least))
            continue;
        best = offer;
        least = product;
        both = mine;
    }
    return best;
}

/* Where memory is not known, all are as small. */
static bool recommend_is_smaller(const struct row *a, const struct row *b)
{
    return a->peak_rss_bytes != b->peak_rss_bytes ? a->peak_rss_bytes < b->peak_rss_bytes
                                                  : a->ns_per_op < b->ns_per_op;
}

/* The smallest of those that are faster than the base and not shown to be behind the fastest. */
static const struct offer *recommend_for_time(const struct recommendation *all)
{
    const struct offer *best = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct offer *offer = &all->offers[i];
        if (*offer->doubt || recommend_time(offer) != CHANGE_LESS || !(offer->behind.low <= 1))
            continue;
        if (!best || recommend_is_smaller(offer->row, best->row))
            best = offer;
    }
    return best;
}

/* Whether its memory may be advised: how much less it is, and what that costs, must be known. */
static bool recommend_saves(const struct offer *offer, const struct offer *base)
{
    return !*offer->doubt && recommend_memory(offer, base) == CHANGE_LESS &&
           recommend_time(offer) != CHANGE_OPEN;
}

static const struct offer *recommend_smallest(const struct recommendation *all)
{
    const struct offer *smallest = NULL;
    for (size_t i = 0; i < all->count; i++)
        if (recommend_saves(&all->offers[i], all->base) &&
            (!smallest || all->offers[i].row->peak_rss_bytes < smallest->row->peak_rss_bytes))
            smallest = &all->offers[i];
    return smallest;
}

/* The fastest of those that save memory and are not told from the smallest. */
static const struct offer *recommend_for_memory(const struct recommendation *all)
{
    const struct offer *smallest = recommend_smallest(all), *best = smallest;
    for (size_t i = 0; smallest && i < all->count; i++) {
        const struct offer *offer = &all->offers[i];
        if (recommend_saves(offer, all->base) && recommend_memory(offer, smallest) != CHANGE_MORE &&
            offer->row->ns_per_op < best->row->ns_per_op)
            best = offer;
    }
    return best;
}

void recommend_judge(struct recommendation *recommendation)
{
    recommendation->base = recommend_base(recommendation);
    recommendation->advised = recommendation->time = recommendation->memory = NULL;
    if (!recommendation->base)
        return;
    for (size_t i = 0; i < recommendation->count; i++)
        recommendation->offers[i].on_front =
            recommend_on_front(recommendation, &recommendation->offers[i]);
    const struct offer *advised = recommend_free(recommendation);
    const struct offer *time = recommend_for_time(recommendation);
    const struct offer *memory = recommend_for_memory(recommendation);
    recommendation->advised = advised;
    if (time && (!advised || time->time.ratio <= (1 - RECOMMEND_WORTH) * advised->time.ratio))
        recommendation->time = time;
    if (memory && (!advised || recommend_memory(memory, advised) == CHANGE_LESS))
        recommendation->memory = memory;
}

/* ---- from a run ------------------------------------------------------------------------------ */

static void recommend_doubt(struct offer *offer, bool any_sized)
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
    else if (any_sized && !recommend_sized(offer))
        snprintf(doubt, RECOMMEND_DOUBT, "its memory was not measured");
}

static struct interval recommend_ratio(const struct store *store, const struct row *row,
                                       const struct row *over)
{
    struct sample mine, its;
    sample_collect(&its, store, over->allocator, over->trace, "throughput", "ns_per_op");
    sample_collect(&mine, store, row->allocator, row->trace, "throughput", "ns_per_op");
    struct interval ratio = sample_ratio(&mine, &its, true, asked_seed(store));
    sample_release(&mine);
    sample_release(&its);
    return ratio;
}

void recommend_rows(struct recommendation *out, const struct store *store, const struct row *rows,
                    size_t count)
{
    static const struct interval unknown = {NAN, NAN, NAN, false};
    *out =
        (struct recommendation){.offers = calloc(count + 1, sizeof *out->offers), .count = count};
    if (!out->offers)
        err_no_memory("%zu offers", count);
    bool any_sized = false;
    for (size_t i = 0; i < count; i++) {
        out->offers[i] = (struct offer){.row = &rows[i], .time = unknown, .behind = unknown};
        any_sized |= recommend_sized(&out->offers[i]);
    }
    for (size_t i = 0; i < count; i++)
        recommend_doubt(&out->offers[i], any_sized);
    const struct offer *base = recommend_base(out), *fastest = recommend_fastest(out);
    for (size_t i = 0; base && i < count; i++) {
        out->offers[i].time = recommend_ratio(store, &rows[i], base->row);
        out->offers[i].behind = recommend_ratio(store, &rows[i], fastest->row);
    }
    recommend_judge(out);
}

void recommend_release(struct recommendation *recommendation)
{
    free(recommendation->offers);
}
