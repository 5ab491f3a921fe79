/* LTTng-UST's libc tracepoints as babeltrace2 prints them:
 * "[time] (+delta) host lttng_ust_libc:malloc: { cpu_id = 0 }, { vtid = n }, { size = 1, ptr = 0x
 * }". */
#include "workloads/import/importer.h"

enum { LTTNG_SPACE = 48 }; /* addresses of one process stay below 2 to the … */

struct lttng {
    uint64_t last_ns, days_ns; /* times of day begin anew at midnight */
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
    bool known[LTTNG_NAMES];
    uint64_t value[LTTNG_NAMES];
};

static void lttng_note(struct lttng_fields *fields, const char *name, size_t length,
                       struct scan number)
{
    static const struct {
        const char *name;
        size_t length;
    } names[] = {[LTTNG_PTR] = {"ptr", 3},         [LTTNG_SIZE] = {"size", 4},
                 [LTTNG_NMEMB] = {"nmemb", 5},     [LTTNG_IN_PTR] = {"in_ptr", 6},
                 [LTTNG_OUT_PTR] = {"out_ptr", 7}, [LTTNG_ALIGNMENT] = {"alignment", 9},
                 [LTTNG_RESULT] = {"result", 6},   [LTTNG_VPID] = {"vpid", 4},
                 [LTTNG_VTID] = {"vtid", 4}};
    for (unsigned i = 0; i < LTTNG_NAMES; i++)
        if (names[i].length == length && memcmp(names[i].name, name, length) == 0) {
            fields->known[i] = scan_number(&number, &fields->value[i]);
            return;
        }
}

/* "name = number", each behind a blank. */
static void lttng_collect(struct scan line, struct lttng_fields *fields)
{
    const char *sign;
    *fields = (struct lttng_fields){0};
    while ((sign = memchr(line.at, '=', (size_t)(line.end - line.at)))) {
        const char *end = sign > line.at && sign[-1] == ' ' ? sign - 1 : sign, *name = end;
        while (name > line.at && name[-1] != ' ')
            name--;
        line.at = sign + 1;
        scan_blanks(&line);
        lttng_note(fields, name, (size_t)(end - name), line);
    }
}

static bool lttng_field(const struct lttng_fields *fields, enum lttng_name name, uint64_t *value)
{
    *value = fields->value[name];
    return fields->known[name];
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

/* [HH:MM:SS.nnnnnnnnn], with or without a date before it, or [seconds.nnnnnnnnn]; with all names
 * printed, "timestamp = …,". */
static bool lttng_time(struct scan *line, uint64_t *ns)
{
    uint64_t part, seconds = 0, nanoseconds = 0;
    bool named = scan_text(line, "timestamp = ");
    if (!named && !scan_char(line, '['))
        return false;
    const char *blank = memchr(line->at, ' ', (size_t)(line->end - line->at));
    const char *close = memchr(line->at, named ? ',' : ']', (size_t)(line->end - line->at));
    if (!close)
        return false;
    if (blank && blank < close)
        line->at = blank + 1;
    do {
        if (!scan_decimal(line, &part))
            return false;
        seconds = seconds * 60 + part;
    } while (scan_char(line, ':'));
    if (!scan_char(line, '.') || !scan_decimal(line, &nanoseconds) || line->at != close)
        return false;
    *ns = seconds * 1000000000 + nanoseconds % 1000000000;
    return true;
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
    if (!fields->known[LTTNG_ALIGNMENT] || !lttng_sized(fields, TRACE_ALIGNED, operation))
        return false;
    if (fields->value[LTTNG_RESULT])
        operation->address = 0;
    return import_align(operation, fields->value[LTTNG_ALIGNMENT]);
}

static bool lttng_is(struct scan name, const char *wanted)
{
    return scan_text(&name, wanted) && (scan_char(&name, ':') || scan_char(&name, ','));
}

static bool lttng_event(struct scan name, const struct lttng_fields *fields,
                        struct repair_operation *operation)
{
    uint64_t count = fields->value[LTTNG_NMEMB];
    if (lttng_is(name, "malloc"))
        return lttng_sized(fields, TRACE_MALLOC, operation);
    if (lttng_is(name, "calloc"))
        return fields->known[LTTNG_NMEMB] && lttng_sized(fields, TRACE_CALLOC, operation) &&
               (!__builtin_mul_overflow(operation->size, count, &operation->size) ||
                !operation->address);
    if (lttng_is(name, "realloc"))
        return lttng_field(fields, LTTNG_IN_PTR, &operation->before) &&
               lttng_sized(fields, TRACE_REALLOC, operation);
    if (lttng_is(name, "memalign") || lttng_is(name, "posix_memalign"))
        return lttng_aligned(fields, operation);
    operation->kind = TRACE_FREE;
    return lttng_is(name, "free") && lttng_field(fields, LTTNG_PTR, &operation->before);
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
    uint64_t ns;
    if (!lttng_provider(&event))
        return IMPORT_NOTHING;
    lttng_collect(event, &fields);
    if (line.end[-1] != '}' || !lttng_time(&line, &ns) || !lttng_event(event, &fields, operation))
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

/* The first event of the kind, or false. */
static bool lttng_first(const char *start, size_t length, struct scan *line)
{
    struct scan text = scan_over(start, length);
    for (int i = 0; i < 50 && scan_line(&text, line); i++) {
        struct lttng lttng = {0};
        struct repair_operation operation = {0};
        if (lttng_take(*line, &lttng, &operation) == IMPORT_OPERATION)
            return true;
    }
    return false;
}

static bool lttng_recognise(const char *start, size_t length)
{
    struct scan line;
    return lttng_first(start, length, &line);
}

static uint32_t lttng_columns(const char *start, size_t length)
{
    struct scan line;
    struct lttng_fields fields = {0};
    if (lttng_first(start, length, &line))
        lttng_collect(line, &fields);
    return TRACE_HAS_TIMES | (fields.known[LTTNG_VTID] ? TRACE_HAS_THREADS : 0);
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
