/* A moment in words and a table. */
#include "harness/explain/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "harness/base/units.h"
#include "harness/measure/parts.h"
#include "results/text.h"

enum { WORDS_TEXT = 2000, WORDS_HOLDERS = 8 };

/* A text that grows by sentences. */
struct words {
    char text[WORDS_TEXT];
    size_t length;
};

static void words_add(struct words *words, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void words_add(struct words *words, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(words->text + words->length, WORDS_TEXT - words->length, format, arguments);
    va_end(arguments);
    words->length += (size_t)length;
    if (words->length >= WORDS_TEXT)
        words->length = WORDS_TEXT - 1;
}

static void words_write(FILE *out, const struct words *words, size_t indent)
{
    text_spaces(out, indent);
    text_wrap(out, words->text, indent, indent, text_width(out));
}

static double words_share(uint64_t part, uint64_t whole)
{
    return whole ? 100 * (double)part / (double)whole : 0;
}

/* ---- the parts ---- */

/* How each part is called, why it is there, and whether another allocator or setting could do
 * without it. The reason is what follows "the largest part that could go is ...". */
static const struct {
    const char *title, *reason;
    size_t offset;
    bool removable;
} words_parts[] = {
#define PART(field) offsetof(struct breakdown, field)
    {"live payload", NULL, PART(payload), false},
    {"rounding of live blocks",
     "because blocks are larger than what was asked for: size classes and alignment",
     PART(rounding), true},
    {"free on pages with live blocks",
     "because live blocks keep whole pages on which little else is live", PART(free_in_live_pages),
     true},
    {"pages without a live block",
     "because the allocator keeps pages whose blocks are all gone instead of giving them back",
     PART(free_pages), true},
    {"pages never used for a block",
     "because the allocator keeps tables of its own there, or prepared memory in advance",
     PART(unused_pages), true},
    {"lazily freed", "which only looks resident: the kernel takes it back when memory gets short",
     PART(lazy_free), true},
    {"metadata", "because the allocator keeps headers and tables", PART(metadata), true},
#undef PART
};
enum { WORDS_PARTS = sizeof words_parts / sizeof *words_parts };

static uint64_t words_part(const struct breakdown *breakdown, size_t part)
{
    uint64_t bytes;
    memcpy(&bytes, (const char *)breakdown + words_parts[part].offset, sizeof bytes);
    return bytes;
}

static void words_row(FILE *out, const char *title, uint64_t bytes, uint64_t heap)
{
    char count[UNITS_TEXT];
    fprintf(out, "  %-32s %15s", title, units_format_count(count, bytes));
    if (heap)
        fprintf(out, "  %5.1f %%", words_share(bytes, heap));
    fputc('\n', out);
}

static void words_table(FILE *out, const struct breakdown *breakdown)
{
    uint64_t heap = breakdown_heap(breakdown);
    fprintf(out, "  %-32s %15s  %7s\n", "part", "bytes", "of heap");
    for (size_t i = 0; i < WORDS_PARTS; i++) {
        const char *title = words_parts[i].title;
        if (words_parts[i].offset == offsetof(struct breakdown, metadata) &&
            !breakdown->metadata_told)
            fprintf(out, "  %-32s %15s  (in the free and unused parts above)\n", title,
                    "not separable");
        else if (words_parts[i].offset == offsetof(struct breakdown, rounding) &&
                 !breakdown->rounding_told)
            fprintf(out, "  %-32s %15s  (it tells no usable sizes)\n", title, "not told");
        else
            words_row(out, title, words_part(breakdown, i), heap);
    }
    words_row(out, "rest of the process", breakdown->rest_of_process, 0);
    words_row(out, "sum", breakdown->sum, 0);
    words_row(out, "RSS, read from smaps_rollup", breakdown->rss_bytes, 0);
}

static void words_beside(FILE *out, const struct breakdown *breakdown)
{
    char text[4][UNITS_TEXT];
    struct words words = {0};
    words_add(&words,
              "Beside it, not resident: %s of live blocks not touched yet, %s given back, %s of "
              "address space that was never used",
              units_format_size(text[0], breakdown->touched_not_yet),
              units_format_size(text[1], breakdown->returned),
              units_format_size(text[2], breakdown->reserved));
    if (breakdown->swapped)
        words_add(&words, ", %s in the swap", units_format_size(text[3], breakdown->swapped));
    words_add(&words, ".");
    words_write(out, &words, 2);
}

/* ---- the sentences ---- */

static size_t words_largest(const struct breakdown *breakdown)
{
    size_t largest = WORDS_PARTS;
    for (size_t i = 0; i < WORDS_PARTS; i++)
        if (words_parts[i].removable && words_part(breakdown, i) > 0 &&
            (largest == WORDS_PARTS || words_part(breakdown, i) > words_part(breakdown, largest)))
            largest = i;
    return largest;
}

static void words_cause(struct words *words, const struct breakdown *breakdown)
{
    char bytes[UNITS_TEXT], sparse[UNITS_TEXT], pages[UNITS_TEXT];
    size_t largest = words_largest(breakdown);
    if (largest == WORDS_PARTS) {
        words_add(words, " Nothing could go.");
        return;
    }
    uint64_t part = words_part(breakdown, largest);
    words_add(words, " The largest part that could go is %s (%.1f %%), %s, %s",
              units_format_size(bytes, part), words_share(part, breakdown_heap(breakdown)),
              words_parts[largest].title, words_parts[largest].reason);
    if (words_parts[largest].offset == offsetof(struct breakdown, free_in_live_pages))
        words_add(words, ": of %s pages with live blocks %s are less than a quarter live",
                  units_format_count(pages, breakdown->live_pages),
                  units_format_count(sparse, breakdown->sparse_pages));
    words_add(words, ".");
}

static void words_peak(struct words *words, const struct breakdown *breakdown)
{
    char peak[UNITS_TEXT], away[UNITS_TEXT];
    if (strcmp(breakdown->at, "peak-rss") != 0 || breakdown->peak_rss_bytes == COUNT_UNKNOWN ||
        breakdown->peak_rss_bytes <= breakdown->rss_bytes)
        return;
    words_add(words,
              " The highest RSS of the replay that looked for the peak was %s, %s more: this "
              "allocator does not take the same memory in every replay.",
              units_format_size(peak, breakdown->peak_rss_bytes),
              units_format_size(away, breakdown->peak_rss_bytes - breakdown->rss_bytes));
}

static void words_summary(FILE *out, const struct breakdown *breakdown)
{
    char text[4][UNITS_TEXT];
    uint64_t heap = breakdown_heap(breakdown);
    struct words words = {0};
    words_add(&words,
              "Of %s resident, %s are the process around the heap (mostly the replay's own tables) "
              "and %s the heap. Of the heap %s (%.1f %%) are payload of ",
              units_format_size(text[0], breakdown->rss_bytes),
              units_format_size(text[1], breakdown->rest_of_process),
              units_format_size(text[2], heap), units_format_size(text[3], breakdown->payload),
              words_share(breakdown->payload, heap));
    words_add(&words, "%s live blocks.", units_format_count(text[0], breakdown->live_blocks));
    words_cause(&words, breakdown);
    words_peak(&words, breakdown);
    words_write(out, &words, 2);
}

static void words_title(FILE *out, const struct breakdown *breakdown, uint64_t events)
{
    char event[UNITS_TEXT], all[UNITS_TEXT], time[UNITS_TEXT];
    text_plain(out, breakdown->trace);
    fputs(" on ", out);
    text_plain(out, breakdown->allocator);
    fprintf(out, ", %s", breakdown->at);
    if (breakdown->event != COUNT_UNKNOWN)
        fprintf(out, ": after %s of %s events", units_format_count(event, breakdown->event),
                units_format_count(all, events));
    if (breakdown->time_ns != COUNT_UNKNOWN)
        fprintf(out, ", at %s", units_format_time(time, (double)breakdown->time_ns));
    if (*breakdown->without) {
        fputs(", without ", out);
        text_plain(out, breakdown->without);
    }
    fputs("\n\n", out);
}

/* ---- the holders ---- */

static void words_sizes(struct words *words, const struct holder *holder)
{
    char low[UNITS_TEXT], high[UNITS_TEXT];
    if (holder->size_low == holder->size_high)
        words_add(words, " of %s bytes", units_format_count(low, holder->size_low));
    else
        words_add(words, " of %s to %s bytes", units_format_count(low, holder->size_low),
                  units_format_count(high, holder->size_high));
}

static void words_age(struct words *words, const struct holder *holder, bool times)
{
    char age[UNITS_TEXT];
    double hours = (double)holder->age_ns / 3600e9;
    if (times && hours >= 2)
        words_add(words, ", %.1f hours old", hours);
    else if (times)
        words_add(words, ", %s old", units_format_time(age, (double)holder->age_ns));
    else
        words_add(words, ", %s events old", units_format_count(age, holder->age_events));
}

static void words_holder(FILE *out, const struct holder *holder, const struct sites *sites,
                         bool times)
{
    char text[UNITS_TEXT];
    struct words words = {0};
    words_add(&words, "%s block%s", units_format_count(text, holder->blocks),
              holder->blocks == 1 ? "" : "s");
    words_sizes(&words, holder);
    if (holder->label)
        words_add(&words, " from %.300s", sites->names[holder->label]);
    words_age(&words, holder, times);
    if (holder->thread)
        words_add(&words, ", of thread %" PRIu32, holder->thread);
    words_add(&words, ", keep %s resident", units_format_size(text, holder->resident_bytes));
    words_add(&words, " on %s page%s", units_format_count(text, holder->pages),
              holder->pages == 1 ? "" : "s");
    if (holder->alone_bytes)
        words_add(&words, ", %s of it on pages where nothing else lies",
                  units_format_size(text, holder->alone_bytes));
    words_write(out, &words, 4);
}

static void words_holders(FILE *out, const struct breakdown *breakdown,
                          const struct holders *holders, const struct sites *sites)
{
    char pages[UNITS_TEXT], all[UNITS_TEXT], bytes[UNITS_TEXT];
    struct words words = {0};
    words_add(&words,
              "Who holds the pages: %s of %s pages with live blocks are less than a quarter live "
              "and keep %s resident%s",
              units_format_count(pages, holders->pages),
              units_format_count(all, breakdown->live_pages),
              units_format_size(bytes, PAGE_BYTES * holders->pages),
              holders->count ? ". The blocks on them, the median of their ages:" : ".");
    words_write(out, &words, 2);
    for (size_t i = 0; i < holders->count && i < WORDS_HOLDERS; i++)
        words_holder(out, &holders->list[i], sites, breakdown->time_ns != COUNT_UNKNOWN);
    if (holders->count > WORDS_HOLDERS)
        fprintf(out, "    and %s more of other sizes or places\n",
                units_format_count(pages, holders->count - WORDS_HOLDERS));
}

void words_of_moment(FILE *out, const struct breakdown *breakdown, const struct holders *holders,
                     const struct sites *sites, uint64_t events)
{
    words_title(out, breakdown, events);
    if (strcmp(breakdown->status, "ok") == 0) {
        words_summary(out, breakdown);
        fputc('\n', out);
        words_table(out, breakdown);
        fputc('\n', out);
        words_beside(out, breakdown);
        words_holders(out, breakdown, holders, sites);
    } else {
        fputs("  ", out);
        text_plain(out, breakdown->status);
        fputc('\n', out);
    }
    if (*breakdown->detail) {
        fputs("  ", out);
        text_wrap(out, breakdown->detail, 2, 2, text_width(out));
    }
    fputc('\n', out);
}

void words_of_gain(FILE *out, const struct breakdown *with, const struct breakdown *without)
{
    char text[4][UNITS_TEXT];
    uint64_t before = breakdown_heap(with), after = breakdown_heap(without);
    struct words words = {0};
    words_add(&words, "%s on %s, %s, without %s: %s of %s live blocks are left, and the heap ",
              with->trace, with->allocator, with->at, without->without,
              units_format_count(text[0], without->live_blocks),
              units_format_count(text[1], with->live_blocks));
    words_add(&words, "takes %s resident instead of %s: ", units_format_size(text[0], after),
              units_format_size(text[1], before));
    if (after < before)
        words_add(&words, "%s (%.1f %%) would be gained, of which %s are payload.",
                  units_format_size(text[2], before - after), words_share(before - after, before),
                  units_format_size(text[3], with->payload - without->payload));
    else
        words_add(&words, "nothing would be gained.");
    words_write(out, &words, 0);
    fputc('\n', out);
}
