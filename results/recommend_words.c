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

static void say_time(char text[RECOMMEND_TEXT], const struct interval *time)
{
    double percent = 100 * (time->ratio - 1);
    if (isnan(time->ratio)) {
        say(text, "; its price in time was not measured");
        return;
    }
    if (isnan(time->low)) {
        say(text, ", for %+.1f %% of time in a single repetition", percent);
        return;
    }
    if (time->low > 1)
        say(text, ", for %.1f %% more time", percent);
    else if (time->high < 1)
        say(text, ", in %.1f %% less time", -percent);
    else
        say(text, ", with no difference in time shown");
    say(text, " (ratio %.3f [%.3f, %.3f]%s)", time->ratio, time->low, time->high,
        time->indicative ? ", indicative only" : "");
}

static void say_offer(char text[RECOMMEND_TEXT], const struct recommendation *all,
                      const struct offer *offer)
{
    char its[UNITS_TEXT], base[UNITS_TEXT];
    say(text, "%s takes %s at the peak where %s takes %s, %.0f %% less", offer->row->allocator,
        units_format_size(its, offer->row->peak_rss_bytes), all->base->row->allocator,
        units_format_size(base, all->base->row->peak_rss_bytes), saving(all, offer));
    say_time(text, &offer->time);
    if (note_is_noisy(all->base->row))
        say(text, "; doubtful, since the time of %s spreads by %.0f %%", all->base->row->allocator,
            100 * all->base->row->spread);
    say(text, ".");
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

/* Why nothing helps. */
static void say_nothing(char text[RECOMMEND_TEXT], const struct recommendation *all)
{
    const struct offer *other = smallest_other(all);
    if (!other) {
        say(text, "Nothing is recommended: there are no sound figures but those of %s.",
            all->base->row->allocator);
        return;
    }
    double less = saving(all, other);
    if (less >= 100 * RECOMMEND_WORTH) {
        say(text,
            "Nothing is advised yet: %s takes %.0f %% less at the peak than %s, but its time "
            "spreads "
            "by %.0f %%, which is no price; close what else is running, or repeat more often with "
            "-n.",
            other->row->allocator, less, all->base->row->allocator, 100 * other->row->spread);
        return;
    }
    say(text, "Nothing here helps: the smallest of the others, %s, takes ", other->row->allocator);
    if (fabs(less) < 0.05)
        say(text, "as much at the peak as %s.", all->base->row->allocator);
    else
        say(text, "%.1f %% %s at the peak than %s%s", fabs(less), less < 0 ? "more" : "less",
            all->base->row->allocator, less < 0 ? "." : ", which is not told from chance.");
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
    if (base->repetitions)
        say(text, ", %llu repetition%s of the time and one of the memory",
            (unsigned long long)base->repetitions, base->repetitions == 1 ? "" : "s");
    else
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
    if (recommendation->advised)
        say_offer(lines[0], recommendation, recommendation->advised);
    else
        say_nothing(lines[0], recommendation);
    if (recommendation->further) {
        say(lines[1], "Smaller still: ");
        say_offer(lines[1], recommendation, recommendation->further);
    }
    say_conditions(lines[2], store, recommendation->base->row);
    say_left_out(lines[3], recommendation);
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
    bool sized = all->base && offer->row->peak_rss_bytes != COUNT_UNKNOWN;
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
    json_t *all =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "trace",
                  recommendation->count ? recommendation->offers->row->trace : "", "base",
                  name(recommendation->base), "advised", name(recommendation->advised), "further",
                  name(recommendation->further), "offers", offers, "sentences", sentences);
    if (!all)
        err_no_memory("a recommendation");
    return all;
}
