/* LTTng-UST's libc tracepoints as babeltrace2 prints them:
 * "[time] (+delta) host lttng_ust_libc:malloc: { cpu_id = 0 }, { vtid = n }, { size = 1, ptr = 0x
 * }". */
#include "workloads/import/importer.h"

enum { LTTNG_SPACE = 48 }; /* addresses of one process stay below 2 to the … */

struct lttng {
    uint64_t last_ns, days_ns; /* times of day begin anew at midnight */
};

/* "name = number" somewhere in the line, as a whole word. */
static bool lttng_field(struct scan line, const char *name, uint64_t *value)
{
    while (scan_past(&line, name)) {
        const char *before = line.at - strlen(name) - 1;
        if ((*before == ' ' || *before == '{') && scan_text(&line, " = "))
            return scan_number(&line, value);
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

static bool lttng_sized(struct scan fields, uint8_t kind, struct repair_operation *operation)
{
    operation->kind = kind;
    return lttng_field(fields, "size", &operation->size) &&
           (lttng_field(fields, "ptr", &operation->address) ||
            lttng_field(fields, "out_ptr", &operation->address));
}

static bool lttng_aligned(struct scan fields, struct repair_operation *operation)
{
    uint64_t align, result;
    if (!lttng_field(fields, "alignment", &align) || !lttng_sized(fields, TRACE_ALIGNED, operation))
        return false;
    if (lttng_field(fields, "result", &result) && result)
        operation->address = 0;
    return import_align(operation, align);
}

static bool lttng_is(struct scan name, const char *wanted)
{
    return scan_text(&name, wanted) && (scan_char(&name, ':') || scan_char(&name, ','));
}

static bool lttng_event(struct scan name, struct scan fields, struct repair_operation *operation)
{
    uint64_t count;
    if (!scan_past(&fields, "{")) /* the event's name, then fields in brackets */
        return false;
    if (lttng_is(name, "malloc"))
        return lttng_sized(fields, TRACE_MALLOC, operation);
    if (lttng_is(name, "calloc"))
        return lttng_field(fields, "nmemb", &count) &&
               lttng_sized(fields, TRACE_CALLOC, operation) &&
               (!__builtin_mul_overflow(operation->size, count, &operation->size) ||
                !operation->address);
    if (lttng_is(name, "realloc"))
        return lttng_field(fields, "in_ptr", &operation->before) &&
               lttng_sized(fields, TRACE_REALLOC, operation);
    if (lttng_is(name, "memalign") || lttng_is(name, "posix_memalign"))
        return lttng_aligned(fields, operation);
    operation->kind = TRACE_FREE;
    return lttng_is(name, "free") && lttng_field(fields, "ptr", &operation->before);
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
    uint64_t ns, thread = 0, process = 0;
    struct scan fields = line;
    if (!scan_past(&fields, "lttng_ust_libc:"))
        return IMPORT_NOTHING;
    if (line.end[-1] != '}' || !lttng_time(&line, &ns) || !lttng_event(fields, fields, operation))
        return IMPORT_BAD;
    const uint64_t half_a_day = UINT64_C(43200000000000);
    if (ns + half_a_day < lttng->last_ns)
        lttng->days_ns += 2 * half_a_day;
    lttng->last_ns = ns;
    operation->time_ns = lttng->days_ns + ns;
    lttng_field(fields, "vtid", &thread);
    operation->thread = thread;
    lttng_field(fields, "vpid", &process);
    operation->address = lttng_address(operation->address, process);
    operation->before = lttng_address(operation->before, process);
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
    uint64_t thread;
    bool threads = lttng_first(start, length, &line) && lttng_field(line, "vtid", &thread);
    return TRACE_HAS_TIMES | (threads ? TRACE_HAS_THREADS : 0);
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
