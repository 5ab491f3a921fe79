/* LTTng-UST's libc tracepoints as babeltrace2 prints them:
 * "[time] (+delta) host lttng_ust_libc:malloc: { cpu_id = 0 }, { vtid = n }, { size = 1, ptr = 0x
 * }". */
#include "workloads/import/importer.h"
#include "workloads/import/memo.h"

enum lttng_kind {
    LTTNG_MALLOC,
    LTTNG_FREE,
    LTTNG_CALLOC,
    LTTNG_REALLOC,
    LTTNG_MEMALIGN, /* and posix_memalign */
    LTTNG_NO_EVENT,
};

enum lttng_name {
    LTTNG_PTR,
    LTTNG_SIZE,
    LTTNG_NMEMB,
    LTTNG_IN_PTR,
    LTTNG_OUT_PTR,
    LTTNG_ALIGNMENT,
    LTTNG_RESULT,
    LTTNG_VPID,
    LTTNG_VTID,
    LTTNG_NAMES
};

/* Numbers of a line by their names; the event's own come last and stand above its contexts'. */
struct lttng_fields {
    unsigned known; /* a bit a name */
    uint64_t value[LTTNG_NAMES];
};

struct lttng_context {
    struct memo memo;
    struct lttng_fields fields;
};

struct lttng {
    uint64_t last_ns, days_ns; /* times of day begin anew at midnight … */
    uint64_t first_day;        /* … where there are no dates; of the first one, 0 none yet */
    struct memo second;        /* a line's start up to the fraction of its second */
    uint64_t second_ns;        /* which that says */
    size_t provider;           /* how far behind the time the provider's name stood last … */
    size_t bracket;            /* … and behind the event's name the bracket of its own fields */
    const struct lttng_context *last; /* the event's before, or NULL */
    struct lttng_context contexts[MEMO_PLACES];
};

static const char lttng_provider_name[] = "lttng_ust_libc:";

static bool lttng_knows(const struct lttng_fields *fields, enum lttng_name name)
{
    return fields->known >> name & 1;
}

static bool lttng_field(const struct lttng_fields *fields, enum lttng_name name, uint64_t *value)
{
    if (!lttng_knows(fields, name))
        return false;
    *value = fields->value[name];
    return true;
}

static bool lttng_same(const char *name, const char *wanted)
{
    return memcmp(name, wanted, strlen(wanted)) == 0;
}

/* LTTNG_NAMES for any other. */
__attribute__((always_inline)) static inline enum lttng_name lttng_name(const char *name,
                                                                        size_t length)
{
    switch (length) {
    case 3:
        return lttng_same(name, "ptr") ? LTTNG_PTR : LTTNG_NAMES;
    case 4:
        if (lttng_same(name, "size"))
            return LTTNG_SIZE;
        if (lttng_same(name, "vtid"))
            return LTTNG_VTID;
        return lttng_same(name, "vpid") ? LTTNG_VPID : LTTNG_NAMES;
    case 5:
        return lttng_same(name, "nmemb") ? LTTNG_NMEMB : LTTNG_NAMES;
    case 6:
        if (lttng_same(name, "in_ptr"))
            return LTTNG_IN_PTR;
        return lttng_same(name, "result") ? LTTNG_RESULT : LTTNG_NAMES;
    case 7:
        return lttng_same(name, "out_ptr") ? LTTNG_OUT_PTR : LTTNG_NAMES;
    case 9:
        return lttng_same(name, "alignment") ? LTTNG_ALIGNMENT : LTTNG_NAMES;
    default:
        return LTTNG_NAMES;
    }
}

/* Numbers, brackets and commas are no words: what stands before the sign is one. */
static bool lttng_is_word(char c)
{
    return c > ' ' && c != ',' && c != '{' && c != '}' && c != '=';
}

/* A text in quotation marks may hold whatever looks like a field. */
static void lttng_pass_text(struct scan *line)
{
    const char *end;
    do {
        end = memchr(line->at + 1, '"', (size_t)(line->end - line->at - 1));
        line->at = end ? end : line->end - 1;
    } while (end && end[-1] == '\\');
    line->at++;
}

/* "name = value", where the value is a number, a text, or opens a bracket. */
static void lttng_collect(struct scan line, struct lttng_fields *fields)
{
    while (!scan_done(&line)) {
        while (!scan_done(&line) && !lttng_is_word(*line.at))
            line.at++;
        const char *word = line.at;
        while (!scan_done(&line) && lttng_is_word(*line.at))
            line.at++;
        size_t length = (size_t)(line.at - word);
        scan_blanks(&line);
        if (!scan_char(&line, '='))
            continue;
        scan_blanks(&line);
        enum lttng_name name = lttng_name(word, length);
        unsigned bit = name < LTTNG_NAMES ? 1u << name : 0;
        if (bit && scan_number(&line, &fields->value[name])) {
            fields->known |= bit;
            continue;
        }
        fields->known &= ~bit;
        if (!scan_done(&line) && *line.at == '"')
            lttng_pass_text(&line);
    }
}

/* A field in its usual place: its name with what precedes the digits, and the number. */
__attribute__((always_inline)) static inline bool
lttng_usual_field(struct scan *own, const char *text, bool (*take)(struct scan *, uint64_t *),
                  enum lttng_name name, struct lttng_fields *fields)
{
    fields->known |= 1u << name;
    return scan_text(own, text) && take(own, &fields->value[name]);
}

/* An event's fields as its tracepoint has them; memalign has another one. False: there is something
 * else. */
static bool lttng_usual(struct scan own, enum lttng_kind kind, struct lttng_fields *fields)
{
    fields->known = 0;
    bool good = kind < LTTNG_MEMALIGN && scan_text(&own, "{ ");
    if (kind == LTTNG_CALLOC)
        good = good && lttng_usual_field(&own, "nmemb = ", scan_decimal, LTTNG_NMEMB, fields) &&
               scan_text(&own, ", ");
    if (kind == LTTNG_REALLOC)
        good = good && lttng_usual_field(&own, "in_ptr = 0x", scan_hex, LTTNG_IN_PTR, fields) &&
               scan_text(&own, ", ");
    if (kind != LTTNG_FREE)
        good = good && lttng_usual_field(&own, "size = ", scan_decimal, LTTNG_SIZE, fields) &&
               scan_text(&own, ", ");
    return good && lttng_usual_field(&own, "ptr = 0x", scan_hex, LTTNG_PTR, fields) &&
           scan_text(&own, " }") && scan_done(&own);
}

/* What contexts say: those of a program's threads on its processors come again and again. NULL:
 * another event stands among them, the end of its line having been lost. */
static const struct lttng_fields *lttng_contexts(struct lttng *lttng, const char *text,
                                                 size_t length)
{
    if (lttng->last && memo_is(&lttng->last->memo, text, length))
        return &lttng->last->fields;
    struct memo *memo;
    bool known = memo_find(lttng->contexts, sizeof *lttng->contexts, text, length, &memo);
    struct lttng_context *context = (struct lttng_context *)(void *)memo;
    lttng->last = context;
    if (known)
        return &context->fields;
    if (memmem(text, length, lttng_provider_name, sizeof lttng_provider_name - 1))
        return NULL;
    context->fields = (struct lttng_fields){0};
    lttng_collect(scan_over(text, length), &context->fields);
    memo_keep(memo, text, length);
    return &context->fields;
}

/* The event's own fields, and those of the contexts between its name and them. The bracket is
 * looked for only where it is not as far away as last time: between the right one and the line's
 * end there is none. */
static const struct lttng_fields *lttng_fields(struct lttng *lttng, struct scan line,
                                               enum lttng_kind kind, struct lttng_fields *own)
{
    static const struct lttng_fields none;
    size_t length = (size_t)(line.end - line.at), before = lttng->bracket;
    if (before < length && lttng_usual((struct scan){line.at + before, line.end}, kind, own))
        return lttng_contexts(lttng, line.at, before);
    const char *bracket = memrchr(line.at, '{', length);
    struct scan rest = {bracket ? bracket : line.end, line.end};
    if (!lttng_usual(rest, kind, own)) {
        own->known = 0;
        lttng_collect(rest, own);
    }
    if (!bracket)
        return &none;
    lttng->bracket = (size_t)(bracket - line.at);
    return lttng_contexts(lttng, line.at, lttng->bracket);
}

/* Moves behind the provider's name and its colon, which are as far away as last time or looked for.
 */
static bool lttng_provider(struct lttng *lttng, struct scan *line)
{
    enum { LETTERS = sizeof lttng_provider_name - 2 };
    struct scan expected = *line;
    if (lttng->provider < (size_t)(line->end - line->at)) {
        expected.at += lttng->provider;
        if (scan_text(&expected, lttng_provider_name)) {
            *line = expected;
            return true;
        }
    }
    const char *at = line->at;
    for (; (at = memchr(at, ':', (size_t)(line->end - at))); at++)
        if (at - line->at >= LETTERS && memcmp(at - LETTERS, lttng_provider_name, LETTERS) == 0) {
            lttng->provider = (size_t)(at - LETTERS - line->at);
            line->at = at + 1;
            return true;
        }
    return false;
}

/* The nine digits behind a second's point. */
static bool lttng_fraction(struct scan *line, uint64_t *ns)
{
    if (line->end - line->at < 10)
        return false;
    uint64_t bytes = bytes_get64((const uint8_t *)line->at);
    unsigned last = (unsigned)(line->at[8] - '0');
    *ns = digits_sum(bytes & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 10 + last;
    line->at += 9;
    return digits_all(bytes) && last < 10;
}

/* The time of a line in the same second as the one before. */
static bool lttng_same_second(const struct lttng *lttng, struct scan *line, uint64_t *ns)
{
    size_t length = lttng->second.length;
    struct scan rest = *line;
    if (scan_left(line) < length || !memo_is(&lttng->second, line->at, length))
        return false;
    rest.at += length;
    if (!lttng_fraction(&rest, ns) || (*rest.at != ']' && *rest.at != ','))
        return false;
    *ns += lttng->second_ns;
    line->at = rest.at + 1;
    return true;
}

/* The rest of a date, "MM-DD ", as days since some first of March (the months' lengths from then on
 * go by fives: 153 days). */
static bool lttng_date(struct scan *line, uint64_t year, uint64_t *days)
{
    uint64_t month, day;
    if (!scan_decimal(line, &month) || !scan_char(line, '-') || !scan_decimal(line, &day) ||
        !scan_char(line, ' ') || month - 1 >= 12 || day - 1 >= 31 || year - 1 >= 9999)
        return false;
    uint64_t march = (month + 9) % 12, years = year - (month < 3);
    *days = years * 365 + years / 4 - years / 100 + years / 400 + (march * 153 + 2) / 5 + day;
    return true;
}

/* [HH:MM:SS.nnnnnnnnn], with or without a date before it, [seconds.nnnnnnnnn], or [cycles], of
 * which LTTng's clock has one a nanosecond; with all names printed, "timestamp = …,". */
static bool lttng_time(struct lttng *lttng, struct scan *line, uint64_t *ns)
{
    const char *start = line->at;
    uint64_t part, seconds = 0, nanoseconds = 0;
    if (lttng_same_second(lttng, line, ns))
        return true;
    bool named = scan_text(line, "timestamp = ");
    if ((!named && !scan_char(line, '[')) || !scan_decimal(line, &part))
        return false;
    uint64_t days = 0;
    if (scan_char(line, '-') && (!lttng_date(line, part, &days) || !scan_decimal(line, &part)))
        return false;
    for (seconds = part; scan_char(line, ':'); seconds = seconds * 60 + part)
        if (!scan_decimal(line, &part))
            return false;
    if (!lttng->first_day)
        lttng->first_day = days;
    seconds += days > lttng->first_day ? (days - lttng->first_day) * 86400 : 0;
    *ns = seconds;
    if (scan_char(line, '.')) {
        memo_keep(&lttng->second, start, (size_t)(line->at - start));
        lttng->second_ns = seconds * 1000000000;
        if (scan_decimal(line, &nanoseconds))
            *ns = lttng->second_ns + nanoseconds % 1000000000;
    }
    return scan_char(line, named ? ',' : ']');
}

static bool lttng_sized(const struct lttng_fields *fields, uint8_t kind,
                        struct repair_operation *operation)
{
    operation->kind = kind;
    return lttng_field(fields, LTTNG_SIZE, &operation->size) &&
           (lttng_field(fields, LTTNG_PTR, &operation->address) ||
            lttng_field(fields, LTTNG_OUT_PTR, &operation->address));
}

static bool lttng_aligned(const struct lttng_fields *fields, struct repair_operation *operation)
{
    if (!lttng_knows(fields, LTTNG_ALIGNMENT) || !lttng_sized(fields, TRACE_ALIGNED, operation))
        return false;
    uint64_t result; /* of posix_memalign only */
    if (lttng_field(fields, LTTNG_RESULT, &result) && result)
        operation->address = 0;
    return import_align(operation, fields->value[LTTNG_ALIGNMENT]);
}

static bool lttng_calloc(const struct lttng_fields *fields, struct repair_operation *operation)
{
    uint64_t count;
    return lttng_field(fields, LTTNG_NMEMB, &count) &&
           lttng_sized(fields, TRACE_CALLOC, operation) &&
           (!__builtin_mul_overflow(operation->size, count, &operation->size) ||
            !operation->address);
}

static bool lttng_free(const struct lttng_fields *fields, struct repair_operation *operation)
{
    operation->kind = TRACE_FREE;
    return lttng_field(fields, LTTNG_PTR, &operation->before);
}

/* The name ends by a colon, or by a comma where all names are printed. */
__attribute__((always_inline)) static inline bool lttng_named(struct scan *line, const char *name)
{
    struct scan rest = *line;
    if (!scan_text(&rest, name) || (!scan_char(&rest, ':') && !scan_char(&rest, ',')))
        return false;
    *line = rest;
    return true;
}

/* Moves behind the event's name; LTTNG_NO_EVENT where it is none of ours. */
static enum lttng_kind lttng_kind(struct scan *line)
{
    if (lttng_named(line, "malloc"))
        return LTTNG_MALLOC;
    if (lttng_named(line, "free"))
        return LTTNG_FREE;
    if (lttng_named(line, "calloc"))
        return LTTNG_CALLOC;
    if (lttng_named(line, "realloc"))
        return LTTNG_REALLOC;
    return lttng_named(line, "memalign") || lttng_named(line, "posix_memalign") ? LTTNG_MEMALIGN
                                                                                : LTTNG_NO_EVENT;
}

static bool lttng_event(enum lttng_kind kind, const struct lttng_fields *fields,
                        struct repair_operation *operation)
{
    switch (kind) {
    case LTTNG_MALLOC:
        return lttng_sized(fields, TRACE_MALLOC, operation);
    case LTTNG_FREE:
        return lttng_free(fields, operation);
    case LTTNG_CALLOC:
        return lttng_calloc(fields, operation);
    case LTTNG_REALLOC:
        return lttng_field(fields, LTTNG_IN_PTR, &operation->before) &&
               lttng_sized(fields, TRACE_REALLOC, operation);
    case LTTNG_MEMALIGN:
        return lttng_aligned(fields, operation);
    case LTTNG_NO_EVENT:
        break;
    }
    return false;
}

/* What a line is; `contexts` are what the event's contexts say. */
static enum import_verdict lttng_read_line(struct lttng *lttng, struct scan line,
                                           const struct lttng_fields **contexts,
                                           struct repair_operation *operation)
{
    struct lttng_fields own;
    struct scan event = line;
    uint64_t ns = 0;
    bool timed = lttng_time(lttng, &event, &ns);
    if (!timed)
        event = line;
    if (!lttng_provider(lttng, &event))
        return IMPORT_NOTHING;
    enum lttng_kind kind = lttng_kind(&event);
    *contexts = lttng_fields(lttng, event, kind, &own);
    if (!*contexts || !timed || line.end[-1] != '}' || !lttng_event(kind, &own, operation))
        return IMPORT_BAD;
    const uint64_t half_a_day = UINT64_C(43200000000000);
    if (ns + half_a_day < lttng->last_ns)
        lttng->days_ns += 2 * half_a_day;
    lttng->last_ns = ns;
    operation->time_ns = lttng->days_ns + ns;
    return IMPORT_OPERATION;
}

static enum import_verdict lttng_take(struct scan line, void *state,
                                      struct repair_operation *operation)
{
    const struct lttng_fields *contexts;
    enum import_verdict verdict = lttng_read_line(state, line, &contexts, operation);
    if (verdict != IMPORT_OPERATION)
        return verdict;
    operation->thread = contexts->value[LTTNG_VTID];
    operation->process = contexts->value[LTTNG_VPID];
    return IMPORT_OPERATION;
}

/* Whether there is an event of the kind, and what the contexts of the first one say. */
static bool lttng_first(const char *start, size_t length, struct lttng_fields *fields)
{
    struct lttng lttng = {0};
    struct scan text = scan_over(start, length), line;
    for (int i = 0; i < 50 && scan_line(&text, &line); i++) {
        const struct lttng_fields *contexts;
        struct repair_operation operation = {0};
        if (lttng_read_line(&lttng, line, &contexts, &operation) == IMPORT_OPERATION) {
            *fields = *contexts;
            return true;
        }
    }
    return false;
}

static bool lttng_recognise(const char *start, size_t length)
{
    struct lttng_fields fields;
    return lttng_first(start, length, &fields);
}

static uint32_t lttng_columns(const char *start, size_t length)
{
    struct lttng_fields fields;
    bool found = lttng_first(start, length, &fields);
    return TRACE_HAS_TIMES | (found && lttng_knows(&fields, LTTNG_VTID) ? TRACE_HAS_THREADS : 0);
}

static int lttng_read(struct import *import, struct source *source, struct err *err)
{
    struct lttng lttng = {0};
    return import_lines(import, source, lttng_take, &lttng, err);
}

const struct importer importer_lttng = {
    .name = "lttng",
    .source = "LTTng-UST libc",
    .losses =
        "Threads and processes are known only where the contexts vtid and vpid were recorded; "
        "aligned_alloc, valloc and pvalloc are not, so that their frees are orphans.",
    .recognise = lttng_recognise,
    .columns = lttng_columns,
    .read = lttng_read,
};
