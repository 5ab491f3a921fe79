/* An import from beginning to end. */
#include "workloads/import/import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/nearest.h"
#include "workloads/format.h"
#include "workloads/import/importer.h"
#include "workloads/table.h"

enum { IMPORT_ADDRESS_BITS = 48 };

/* NULL ends the list. */
#define IMPORTER_ADDRESS(name) &importer_##name,
static const struct importer *const importers[] = {IMPORTERS(IMPORTER_ADDRESS) NULL};

struct import {
    struct source *source;
    struct trace_writer *writer;
    struct trace_summary *summary; /* the writer's; asking for it takes time */
    struct repair *repair;
    struct import_report *report;
    uint32_t columns;
    bool by_hand;
    struct table spaces;    /* by process: number of its address space + 1 */
    uint64_t process;       /* of the operation before */
    uint64_t space;         /* what tells its addresses from other processes' */
    uint64_t first_time_ns; /* of the source: the trace's zero */
    uint64_t last_time_ns;  /* the latest so far */
};

/* Lines are counted by the source; a binary format's records are the operations. */
static uint64_t import_place(const struct import *import)
{
    const struct trace_summary *summary = import->summary;
    uint64_t line = source_line_number(import->source);
    return line ? line : summary->source_events + summary->bad_records;
}

void import_bad(struct import *import, const char *text, size_t length)
{
    struct import_report *report = import->report;
    import->summary->bad_records++;
    if (report->bad_line)
        return;
    report->bad_line = import_place(import);
    for (size_t i = 0; i < length && i + 1 < sizeof report->bad_text; i++)
        report->bad_text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
}

struct trace_writer *import_writer(struct import *import)
{
    return import->writer;
}

void import_cut(struct import *import, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(import->report->cut_tail, sizeof import->report->cut_tail, format, args);
    va_end(args);
    import->summary->cut_tails = 1;
}

void import_remark(struct import *import, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(import->report->remark, sizeof import->report->remark, format, args);
    va_end(args);
}

bool import_align(struct repair_operation *operation, uint64_t align)
{
    operation->kind = TRACE_ALIGNED;
    if (align >> IMPORT_ADDRESS_BITS)
        return !operation->address;
    operation->align_log2 = align > 1 ? (uint8_t)(64 - __builtin_clzll(align - 1)) : 0;
    return true;
}

/* From the source's time to the trace's. */
static uint64_t import_time(struct import *import, uint64_t time_ns)
{
    if (!import->summary->source_events)
        import->first_time_ns = import->last_time_ns = time_ns;
    import->summary->backward_times += time_ns < import->last_time_ns;
    if (time_ns > import->last_time_ns)
        import->last_time_ns = time_ns;
    return time_ns > import->first_time_ns ? time_ns - import->first_time_ns : 0;
}

/* The process's address space becomes the one of what follows. The first one's addresses stay. */
static int import_enter_process(struct import *import, uint64_t process, struct err *err)
{
    struct table_slot *slot = table_enter(&import->spaces, process + 1);
    if (!slot)
        return err_set(err, ENOMEM, "no memory left to tell processes apart");
    if (!slot->value)
        slot->value = import->spaces.count;
    import->process = process;
    import->space = (slot->value - 1) << IMPORT_ADDRESS_BITS;
    return 0;
}

static void import_move(const struct import *import, struct repair_operation *operation)
{
    operation->address |= operation->address ? import->space : 0;
    operation->before |= operation->before ? import->space : 0;
}

int import_operation(struct import *import, struct repair_operation *operation, struct err *err)
{
    if (operation->address && operation->kind != TRACE_FREE &&
        operation->size >> IMPORT_ADDRESS_BITS) {
        import_bad(import, "an impossible size", 18);
        return 0;
    }
    if (operation->process != import->process &&
        import_enter_process(import, operation->process, err))
        return -err->code;
    if (import->space)
        import_move(import, operation);
    if (import->columns & TRACE_HAS_TIMES)
        operation->time_ns = import_time(import, operation->time_ns);
    return repair_add(import->repair, operation, err);
}

/* What follows from an open end of the last line. */
static void import_open_end(struct import *import, enum import_verdict verdict)
{
    if (verdict == IMPORT_BAD)
        import_cut(import, "the last line is not whole");
    else if (!import->by_hand)
        import_cut(import, "the last line has no end: more may be missing");
}

int import_lines(struct import *import, struct source *source,
                 enum import_verdict (*take)(struct scan line, void *state,
                                             struct repair_operation *operation),
                 void *state, struct err *err)
{
    enum import_verdict verdict = IMPORT_NOTHING;
    struct scan line;
    int failed = 0;
    while (!failed && source_line(source, &line)) {
        if (!scan_done(&line) && *line.at == '#')
            continue;
        struct repair_operation *operation = repair_room(import->repair, err);
        if (!operation)
            return -err->code;
        verdict = take(line, state, operation);
        if (verdict == IMPORT_OPERATION)
            failed = import_operation(import, operation, err);
        else if (verdict == IMPORT_BAD && !source_line_is_open(source))
            import_bad(import, line.at, scan_left(&line));
    }
    if (source_line_is_open(source))
        import_open_end(import, verdict);
    return failed;
}

struct import_names {
    char text[400];
};

static struct import_names import_names(void)
{
    struct import_names names = {""};
    for (size_t i = 0; importers[i]; i++) {
        size_t used = strlen(names.text);
        snprintf(names.text + used, sizeof names.text - used, "%s%s", used ? ", " : "",
                 importers[i]->name);
    }
    return names;
}

static int import_unknown_name(const char *format, struct err *err)
{
    struct nearest nearest = nearest_to(format);
    for (size_t i = 0; importers[i]; i++)
        nearest_offer(&nearest, importers[i]->name);
    return err_set(err, EINVAL, "there is no format '%.80s'%s (there are %s)", format,
                   nearest_hint(&nearest).text, import_names().text);
}

static int import_unrecognised(struct source *source, const char *from, struct err *err)
{
    size_t length;
    const char *start = source_start(source, &length);
    if (length >= FORMAT_MAGIC_BYTES && memcmp(start, FORMAT_MAGIC, FORMAT_MAGIC_BYTES) == 0)
        return err_set(err, EINVAL, "%s is a trace already: it can be replayed as it is", from);
    return err_set(err, EINVAL,
                   "%s is of no known format; if it is one of %s, name it with --format", from,
                   import_names().text);
}

static const struct importer *import_recognised(struct source *source)
{
    size_t length;
    const char *start = source_start(source, &length);
    for (size_t i = 0; importers[i]; i++)
        if (importers[i]->recognise(start, length))
            return importers[i];
    return NULL;
}

/* Passes over comments and empty lines that somebody put before a recording. */
static void import_pass_comments(struct source *source)
{
    const char *text;
    size_t left;
    struct scan line;
    while ((text = source_start(source, &left)), left && strchr("#\r\n", *text) && *text)
        source_line(source, &line);
}

static int import_choose(const struct importer **out, struct source *source, const char *from,
                         const char *format, struct err *err)
{
    for (size_t i = 0; format && importers[i]; i++)
        if (strcmp(importers[i]->name, format) == 0)
            *out = importers[i];
    if (format && !*out)
        return import_unknown_name(format, err);
    if (!format && !(*out = import_recognised(source))) {
        import_pass_comments(source);
        *out = import_recognised(source);
    }
    return *out ? 0 : import_unrecognised(source, from, err);
}

/* What was read before damage in the archive stays; nothing at all is no recording. */
static int import_check(struct import *import, const struct importer *importer, const char *from,
                        struct err *err)
{
    const char *flaw = source_flaw(import->source);
    const struct trace_summary *summary = trace_writer_summary(import->writer);
    if (flaw)
        import_cut(import, "%.60s is damaged inside its archive: %.100s", from, flaw);
    if (source_has_more(import->source))
        import_cut(import, "%.60s holds more than one file, of which only the first is read", from);
    if (summary->source_events || summary->events)
        return 0;
    if (import->report->bad_line)
        return err_set(err, EINVAL,
                       "%s holds no operation that %s could understand; line %llu begins '%s'",
                       from, importer->source, (unsigned long long)import->report->bad_line,
                       import->report->bad_text);
    return err_set(err, EINVAL, "%s holds no allocation operation", from);
}

static int import_all(struct import *import, const struct importer *importer, const char *from,
                      struct err *err)
{
    bool in_order = importer->in_order || import->columns & TRACE_HAS_THREADS;
    int failed = repair_create(&import->repair, import->writer, in_order, err);
    if (failed)
        return failed;
    failed = importer->read(import, import->source, err);
    if (!failed)
        failed = import_check(import, importer, from, err);
    if (!failed)
        return repair_finish(import->repair, err);
    repair_abandon(import->repair);
    return failed;
}

static int import_into(struct import *import, const struct importer *importer, const char *from,
                       const char *to, struct err *err)
{
    size_t length;
    const char *start = source_start(import->source, &length);
    import->columns = importer->columns(start, length);
    import->by_hand = importer->by_hand;
    const struct trace_origin origin = {.tool = "heapbench " HEAPBENCH_VERSION,
                                        .source = importer->source,
                                        .losses = importer->losses,
                                        .columns = import->columns};
    int failed = trace_writer_create(&import->writer, to, &origin, err);
    if (failed)
        return failed;
    import->summary = trace_writer_summary(import->writer);
    trace_writer_split(import->writer);
    failed = import_all(import, importer, from, err);
    if (!failed)
        return trace_writer_finish(import->writer, err);
    trace_writer_abandon(import->writer);
    return failed;
}

/* A recording cannot be made again. */
static bool import_would_replace(const char *from, const char *to)
{
    struct stat source, target;
    return stat(from, &source) == 0 && stat(to, &target) == 0 && S_ISREG(source.st_mode) &&
           source.st_dev == target.st_dev && source.st_ino == target.st_ino;
}

int import_file(const char *from, const char *format, const char *to, struct import_report *report,
                struct err *err)
{
    const struct importer *importer = NULL;
    struct import import = {.report = report, .process = UINT64_MAX};
    *report = (struct import_report){0};
    if (import_would_replace(from, to))
        return err_set(err, EINVAL, "%s is the recording itself: name another file for the trace",
                       to);
    int failed = source_open(&import.source, from, err);
    if (failed)
        return failed;
    failed = import_choose(&importer, import.source, from, format, err);
    if (!failed) {
        report->format = importer->source;
        failed = import_into(&import, importer, from, to, err);
    }
    table_release(&import.spaces);
    source_close(import.source);
    return failed;
}
