/* LTTng-UST's libc tracepoints as babeltrace2 prints them:
 * "[time] (+delta) host lttng_ust_libc:malloc: { cpu_id = 0 }, { vtid = n }, { size = 1, ptr = 0x
 * }". */
#include "workloads/import/importer.h"

enum { LTTNG_SPACE = 48 }; /* addresses of one process stay below 2 to the … */

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

enum { LTTNG_CONTEXT = 512 };

struct lttng {
    uint64_t last_ns, days_ns; /* times of day begin anew at midnight */
    /* The contexts of the event before and what they say: mostly the next has the same. */
    struct lttng_fields fields;
    size_t length;
    char context[LTTNG_CONTEXT];
};

static bool lttng_knows(const struct lttng_fields *fields, enum lttng_name name)
{
    return fields->known >> name & 1;
}

static bool lttng_field(const struct lttng_fields *fields, enum lttng_name name, uint64_t *value)
{
    *value = fields->value[name];
    return lttng_knows(fields, name);
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

/* The fields of a malloc or a free in their usual form. */
static bool lttng_usual(struct scan own, struct lttng_fields *fields)
{
    unsigned known = 1u << LTTNG_PTR;
    if (!scan_text(&own, "{ "))
        return false;
    if (scan_text(&own, "size = ")) {
        known |= 1u << LTTNG_SIZE;
        if (!scan_decimal(&own, &fields->value[LTTNG_SIZE]) || !scan_text(&own, ", "))
            return false;
    }
    if (!scan_text(&own, "ptr = ") || !scan_address(&own, &fields->value[LTTNG_PTR]) ||
        !scan_text(&own, " }"))
        return false;
    fields->known |= known;
    return scan_done(&own);
}

/* All fields of an event, `line` beginning with its name. */
static void lttng_fields(struct lttng *lttng, struct scan line, struct lttng_fields *fields)
{
    const char *own = memrchr(line.at, '{', (size_t)(line.end - line.at));
    const char *contexts = memchr(line.at, ' ', (size_t)((own ? own : line.at) - line.at));
    size_t length = contexts ? (size_t)(own - contexts) : 0;
    if (!length || length != lttng->length || memcmp(contexts, lttng->context, length) != 0) {
        lttng->fields = (struct lttng_fields){0};
        lttng->length = length < LTTNG_CONTEXT ? length : 0;
        if (length)
            lttng_collect(scan_over(contexts, length), &lttng->fields);
        memcpy(lttng->context, contexts ? contexts : "", lttng->length);
    }
    *fields = lttng->fields;
    struct scan rest = {own ? own : line.end, line.end};
    if (!lttng_usual(rest, fields))
        lttng_collect(rest, fields);
}

/* Moves behind the provider's name and its colon. */
static bool lttng_provider(struct scan *line)
{
    static const char provider[] = "lttng_ust_libc";
    enum { LETTERS = sizeof provider - 1 };
    const char *at = line->at;
    for (; (at = memchr(at, ':', (size_t)(line->end - at))); at++)
        if (at - line->at >= LETTERS && memcmp(at - LETTERS, provider, LETTERS) == 0) {
            line->at = at + 1;
            return true;
        }
    return false;
}

/* [HH:MM:SS.nnnnnnnnn], with or without a date before it, [seconds.nnnnnnnnn], or [cycles], of
 * which LTTng's clock has one a nanosecond; with all names printed, "timestamp = …,". */
static bool lttng_time(struct scan *line, uint64_t *ns)
{
    uint64_t part, seconds = 0, nanoseconds = 0;
    bool named = scan_text(line, "timestamp = ");
    if ((!named && !scan_char(line, '[')) || !scan_decimal(line, &part))
        return false;
    if (scan_char(line, '-') && (!scan_past(line, " ") || !scan_decimal(line, &part)))
        return false;
    for (seconds = part; scan_char(line, ':'); seconds = seconds * 60 + part)
        if (!scan_decimal(line, &part))
            return false;
    *ns = seconds;
    if (scan_char(line, '.') && scan_decimal(line, &nanoseconds))
        *ns = seconds * 1000000000 + nanoseconds % 1000000000;
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
    if (fields->value[LTTNG_RESULT])
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
static bool lttng_event(struct scan name, const struct lttng_fields *fields,
                        struct repair_operation *operation)
{
    if (scan_text(&name, "malloc:") || scan_text(&name, "malloc,"))
        return lttng_sized(fields, TRACE_MALLOC, operation);
    if (scan_text(&name, "free:") || scan_text(&name, "free,"))
        return lttng_free(fields, operation);
    if (scan_text(&name, "calloc:") || scan_text(&name, "calloc,"))
        return lttng_calloc(fields, operation);
    if (scan_text(&name, "realloc:") || scan_text(&name, "realloc,"))
        return lttng_field(fields, LTTNG_IN_PTR, &operation->before) &&
               lttng_sized(fields, TRACE_REALLOC, operation);
    scan_text(&name, "posix_");
    return (scan_text(&name, "memalign:") || scan_text(&name, "memalign,")) &&
           lttng_aligned(fields, operation);
}

/* Processes have address spaces of their own. */
static uint64_t lttng_address(uint64_t address, uint64_t process)
{
    return address ? address | process << LTTNG_SPACE : 0;
}

static enum import_verdict lttng_take(struct scan line, void *state,
                                      struct repair_operation *operation)
{
    struct lttng *lttng = state;
    struct lttng_fields fields;
    struct scan event = line;
    uint64_t ns = 0;
    bool timed = lttng_time(&event, &ns);
    if (!timed)
        event = line;
    if (!lttng_provider(&event))
        return IMPORT_NOTHING;
    lttng_fields(lttng, event, &fields);
    if (!timed || line.end[-1] != '}' || !lttng_event(event, &fields, operation))
        return IMPORT_BAD;
    const uint64_t half_a_day = UINT64_C(43200000000000);
    if (ns + half_a_day < lttng->last_ns)
        lttng->days_ns += 2 * half_a_day;
    lttng->last_ns = ns;
    operation->time_ns = lttng->days_ns + ns;
    operation->thread = fields.value[LTTNG_VTID];
    operation->address = lttng_address(operation->address, fields.value[LTTNG_VPID]);
    operation->before = lttng_address(operation->before, fields.value[LTTNG_VPID]);
    return IMPORT_OPERATION;
}

/* What the contexts of the first event of the kind say, or false. */
static bool lttng_first(const char *start, size_t length, struct lttng_fields *fields)
{
    struct scan text = scan_over(start, length), line;
    for (int i = 0; i < 50 && scan_line(&text, &line); i++) {
        struct lttng lttng = {0};
        struct repair_operation operation = {0};
        enum import_verdict verdict = lttng_take(line, &lttng, &operation);
        *fields = lttng.fields;
        if (verdict == IMPORT_OPERATION)
            return true;
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
    struct lttng_fields fields = {0};
    lttng_first(start, length, &fields);
    return TRACE_HAS_TIMES | (lttng_knows(&fields, LTTNG_VTID) ? TRACE_HAS_THREADS : 0);
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
