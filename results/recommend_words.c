/* What would help, in words and as JSON. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/units.h"
#include "results/asked.h"
#include "results/note.h"
#include "results/recommend.h"

/* Adds to a sentence; one that is too long is cut. */
__attribute__((format(printf, 2, 3))) static void say(char text[RECOMMEND_TEXT], const char *format,
                                                      ...)
{
    va_list args;
    size_t used = strlen(text);
    va_start(args, format);
    vsnprintf(text + used, RECOMMEND_TEXT - used, format, args);
    va_end(args);
}

static double share_of(uint64_t bytes, uint64_t whole)
{
    return 100 * (double)bytes / (double)whole;
}

/* Of the base's peak, in per cent. */
static double saving(const struct recommendation *all, const struct offer *offer)
{
    return 100 - share_of(offer->row->peak_rss_bytes, all->base->row->peak_rss_bytes);
}

/* "18 % less", "9 % more", "2.5 times the" */
static void say_ratio(char text[RECOMMEND_TEXT], double ratio)
{
    if (ratio >= 2)
        say(text, "%.1f times the", ratio);
    else
        say(text, "%.0f %% %s", 100 * fabs(ratio - 1), ratio < 1 ? "less" : "more");
}

static void say_time(char text[RECOMMEND_TEXT], const struct offer *offer)
{
    const struct interval *time = &offer->time;
    if (recommend_time(offer) == CHANGE_NONE && time->high >= 1)
        say(text, "no difference in time shown");
    else {
        say_ratio(text, time->ratio);
        say(text, " time");
    }
    say(text, " (ratio %.2f [%.2f, %.2f]%s)", time->ratio, time->low, time->high,
        time->indicative ? ", indicative only" : "");
}

/* Time where nobody knows whether it is a price. */
static void say_unknown_time(char text[RECOMMEND_TEXT], const struct interval *time)
{
    if (isnan(time->ratio))
        say(text, "; its price in time was not measured");
    else
        say(text, ", for %+.1f %% of time in a single repetition", 100 * (time->ratio - 1));
}

static void say_memory(char text[RECOMMEND_TEXT], const struct recommendation *all,
                       const struct offer *offer)
{
    char its[UNITS_TEXT], base[UNITS_TEXT];
    if (recommend_memory(offer, all->base) == CHANGE_UNKNOWN) {
        say(text, "its price in memory was not measured (-p memory)");
        return;
    }
    if (recommend_memory(offer, all->base) == CHANGE_NONE)
        say(text, "about as much memory");
    else {
        say_ratio(text, 1 - saving(all, offer) / 100);
        say(text, " memory");
    }
    say(text, " (%s at the peak against %s)", units_format_size(its, offer->row->peak_rss_bytes),
        units_format_size(base, all->base->row->peak_rss_bytes));
}

/* What is gained first, then what that costs. */
static void say_offer(char text[RECOMMEND_TEXT], const struct recommendation *all,
                      const struct offer *offer, bool time_first)
{
    enum change time = recommend_time(offer), memory = recommend_memory(offer, all->base);
    say(text, "against %s, %s takes ", all->base->row->allocator, offer->row->allocator);
    if (time_first) {
        say_time(text, offer);
        say(text, memory == CHANGE_MORE ? " for " : memory == CHANGE_UNKNOWN ? "; " : " and ");
        say_memory(text, all, offer);
    } else {
        say_memory(text, all, offer);
        if (time == CHANGE_UNKNOWN)
            say_unknown_time(text, &offer->time);
        else {
            say(text, time == CHANGE_MORE ? " for " : time == CHANGE_NONE ? " with " : " and ");
            say_time(text, offer);
        }
    }
    say(text, ".");
}

static void say_advised(char text[RECOMMEND_TEXT], const struct recommendation *all)
{
    const struct offer *advised = all->advised;
    bool faster = recommend_time(advised) == CHANGE_LESS;
    bool smaller = recommend_memory(advised, all->base) == CHANGE_LESS;
    say(text, faster && smaller ? "Better in both: " : "At no price: ");
    say_offer(text, all, advised, faster);
}

static const struct offer *smallest_other(const struct recommendation *all)
{
    const struct offer *smallest = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct offer *offer = &all->offers[i];
        if (offer != all->base && !*offer->doubt &&
            (!smallest || offer->row->peak_rss_bytes < smallest->row->peak_rss_bytes))
            smallest = offer;
    }
    return smallest;
}

static const struct offer *fastest_other(const struct recommendation *all)
{
    const struct offer *fastest = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct offer *offer = &all->offers[i];
        if (offer != all->base && !*offer->doubt && !isnan(offer->time.ratio) &&
            (!fastest || offer->time.ratio < fastest->time.ratio))
            fastest = offer;
    }
    return fastest;
}

static void say_limit(char text[RECOMMEND_TEXT], const struct row *base)
{
    if (base->peak_live_bytes == COUNT_UNKNOWN || base->peak_live_bytes > base->peak_rss_bytes)
        return;
    double live = share_of(base->peak_live_bytes, base->peak_rss_bytes);
    say(text,
        " %.0f %% of the peak of %s is live payload: no allocator could save more than %.0f %%",
        live, base->allocator, 100 - live);
    say(text, live < 100 * (1 - RECOMMEND_WORTH) ? "; 'bench explain' says where that lies." : ".");
}

/* What of the time is no help. */
static void say_no_time(char text[RECOMMEND_TEXT], const struct recommendation *all)
{
    const struct row *base = all->base->row;
    const struct offer *fastest = fastest_other(all);
    if (base->repetitions == 1 && fastest)
        say(text,
            "Nothing is advised yet: in a single repetition, which tells no difference from "
            "chance, "
            "%s took %.2f of the time of %s; repeat with -n %d. And ",
            fastest->row->allocator, fastest->time.ratio, base->allocator, STATISTICS_ENOUGH);
    else if (base->repetitions > 0)
        say(text, "Nothing here helps: none is shown to take %.0f %% less time than %s, and ",
            100 * RECOMMEND_WORTH, base->allocator);
    else
        say(text, "Nothing here helps: ");
}

/* Why nothing helps. */
static void say_nothing(char text[RECOMMEND_TEXT], const struct recommendation *all)
{
    const struct offer *other = smallest_other(all);
    const char *base = all->base->row->allocator;
    if (!other) {
        say(text, "Nothing is recommended: there are no sound figures but those of %s.", base);
        return;
    }
    if (recommend_memory(other, all->base) == CHANGE_UNKNOWN) {
        say_no_time(text, all);
        say(text, "memory was not measured (-p memory).");
        return;
    }
    double less = saving(all, other);
    if (less >= 100 * RECOMMEND_WORTH) {
        say(text,
            "Nothing is advised yet: %s takes %.0f %% less at the peak than %s, but its time "
            "(ratio %.2f [%.2f, %.2f]) spreads too much to be a price; close what else is running, "
            "or repeat more often with -n.",
            other->row->allocator, less, base, other->time.ratio, other->time.low,
            other->time.high);
        return;
    }
    say_no_time(text, all);
    say(text, "the smallest of the others, %s, takes ", other->row->allocator);
    if (fabs(less) < 0.05)
        say(text, "as much at the peak as %s.", base);
    else
        say(text, "%.1f %% %s at the peak than %s%s", fabs(less), less < 0 ? "more" : "less", base,
            less < 0 ? "." : ", which is not told from chance.");
    say_limit(text, all->base->row);
}

static const char *machine_text(const struct store *store, const char *key)
{
    const json_t *machine = json_object_get(store_run(store), "machine");
    const char *text = json_string_value(json_object_get(machine, key));
    return text ? text : "an unknown machine";
}

static uint64_t threads_of(const struct store *store, const struct row *row)
{
    for (size_t i = 0; i < store_cell_count(store); i++) {
        const struct cell_result *cell = store_cell(store, i);
        if (strcmp(cell->trace, row->trace) == 0 && strcmp(cell->allocator, row->allocator) == 0 &&
            strcmp(cell->pass, "throughput") == 0)
            return cell->threads_replayed;
    }
    return COUNT_UNKNOWN;
}

static void say_conditions(char text[RECOMMEND_TEXT], const struct store *store,
                           const struct row *base)
{
    const char *touch = json_string_value(json_object_get(store_run(store), "touch"));
    uint64_t threads = threads_of(store, base);
    bool recorded = !touch || strcmp(touch, "recorded") == 0;
    say(text, "Seen on the trace %s, touching %s", base->trace, recorded ? "as recorded" : touch);
    if (threads != COUNT_UNKNOWN)
        say(text, ", %llu thread%s", (unsigned long long)threads, threads == 1 ? "" : "s");
    if (base->repetitions) {
        say(text, ", %llu repetition%s of the time", (unsigned long long)base->repetitions,
            base->repetitions == 1 ? "" : "s");
        if (note_is_noisy(base))
            say(text, " (that of %s spreads by %.0f %%)", base->allocator, 100 * base->spread);
        say(text, "%s",
            base->peak_rss_bytes == COUNT_UNKNOWN ? ", memory not measured"
                                                  : " and one of the memory");
    } else
        say(text, ", memory measured once and time not");
    say(text, ", on %s, %s.", machine_text(store, "cpu"), machine_text(store, "libc"));
}

static void say_left_out(char text[RECOMMEND_TEXT], const struct recommendation *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (*all->offers[i].doubt)
            say(text, "%s%s (%s)", *text ? ", " : "Not considered: ", all->offers[i].row->allocator,
                all->offers[i].doubt);
    if (*text)
        say(text, ".");
}

void recommend_words(const struct recommendation *recommendation, const struct store *store,
                     char lines[RECOMMEND_SENTENCES][RECOMMEND_TEXT])
{
    for (size_t i = 0; i < RECOMMEND_SENTENCES; i++)
        lines[i][0] = '\0';
    if (!recommendation->base || recommendation->count < 2)
        return;
    const struct offer *time = recommendation->time, *memory = recommendation->memory;
    if (recommendation->advised)
        say_advised(lines[0], recommendation);
    else if (!time && !memory)
        say_nothing(lines[0], recommendation);
    else if (recommendation->base->row->repetitions > 1)
        say(lines[0], "Nothing here is better than %s at no price.",
            recommendation->base->row->allocator);
    if (time) {
        say(lines[1], "For time: ");
        say_offer(lines[1], recommendation, time, true);
    }
    if (memory) {
        say(lines[2], "For memory: ");
        say_offer(lines[2], recommendation, memory, false);
    }
    say_conditions(lines[3], store, recommendation->base->row);
    say_left_out(lines[4], recommendation);
}

static void say_brief_time(char text[RECOMMEND_TEXT], const struct offer *offer)
{
    if (isnan(offer->time.ratio))
        say(text, "time not measured");
    else if (recommend_time(offer) == CHANGE_NONE && offer->time.high >= 1)
        say(text, "no difference in time");
    else
        say(text, "%+.0f\u00a0%% time", 100 * (offer->time.ratio - 1));
}

static void say_brief_memory(char text[RECOMMEND_TEXT], const struct recommendation *all,
                             const struct offer *offer)
{
    double more = -saving(all, offer);
    if (recommend_memory(offer, all->base) == CHANGE_UNKNOWN)
        say(text, "memory not measured");
    else if (fabs(more) < 0.5)
        say(text, "as much memory");
    else
        say(text, "%+.0f\u00a0%% memory", more);
}

void recommend_brief(char text[RECOMMEND_TEXT], const struct recommendation *recommendation,
                     const struct offer *offer)
{
    bool time_first = recommend_time(offer) == CHANGE_LESS;
    text[0] = '\0';
    say(text, "%s: ", offer->row->allocator);
    if (time_first) {
        say_brief_time(text, offer);
        say(text, ", ");
    }
    say_brief_memory(text, recommendation, offer);
    if (!time_first) {
        say(text, ", ");
        say_brief_time(text, offer);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *name(const struct offer *offer)
{
    return offer ? json_string(offer->row->allocator) : json_null();
}

static json_t *offer_json(const struct recommendation *all, const struct offer *offer)
{
    bool sized = all->base && recommend_memory(offer, all->base) != CHANGE_UNKNOWN;
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:o}", "allocator", offer->row->allocator,
                     "saving", sized ? number(saving(all, offer) / 100) : json_null(), "time_ratio",
                     number(offer->time.ratio), "time_low", number(offer->time.low), "time_high",
                     number(offer->time.high), "indicative", offer->time.indicative, "on_front",
                     offer->on_front, "not_considered",
                     *offer->doubt ? json_string(offer->doubt) : json_null());
}

json_t *recommend_json(const struct recommendation *recommendation, const struct store *store)
{
    char lines[RECOMMEND_SENTENCES][RECOMMEND_TEXT];
    json_t *offers = json_array(), *sentences = json_array();
    recommend_words(recommendation, store, lines);
    for (size_t i = 0; i < recommendation->count; i++)
        json_array_append_new(offers, offer_json(recommendation, &recommendation->offers[i]));
    for (size_t i = 0; i < RECOMMEND_SENTENCES; i++)
        if (*lines[i])
            json_array_append_new(sentences, json_string(lines[i]));
    json_t *all = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "trace",
                            recommendation->count ? recommendation->offers->row->trace : "", "base",
                            name(recommendation->base), "advised", name(recommendation->advised),
                            "for_time", name(recommendation->time), "for_memory",
                            name(recommendation->memory), "offers", offers, "sentences", sentences);
    if (!all)
        err_no_memory("a recommendation");
    return all;
}
