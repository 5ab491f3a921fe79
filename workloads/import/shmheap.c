/* Input of the shmheap runners: "P S B", then commands, one a line or several between bars. Sizes
 * count elements of eight bytes; processes become threads. */
#include "workloads/import/importer.h"

enum { SHMHEAP_ELEMENT = 8 };

static bool shmheap_number(struct scan *scan, uint64_t *value)
{
    return scan_blanks(scan) && scan_decimal(scan, value);
}

static bool shmheap_header(struct scan line)
{
    uint64_t number;
    return shmheap_number(&line, &number) && shmheap_number(&line, &number) &&
           shmheap_number(&line, &number) && scan_blanks(&line) && scan_done(&line);
}

/* One command; connects, disconnects and reads are nothing for a trace. */
static enum import_verdict shmheap_command(struct scan scan, struct repair_operation *operation)
{
    uint64_t what, process, id = 0, elements = 0;
    *operation = (struct repair_operation){0};
    if (!shmheap_number(&scan, &what) || what > 4 || !shmheap_number(&scan, &process) ||
        (what >= 2 && !shmheap_number(&scan, &id)) ||
        (what == 3 && !shmheap_number(&scan, &elements)))
        return IMPORT_BAD;
    scan_blanks(&scan);
    if (!scan_done(&scan) || id == UINT64_MAX || elements > UINT64_MAX / SHMHEAP_ELEMENT)
        return IMPORT_BAD;
    operation->thread = process;
    operation->kind = what == 3 ? TRACE_MALLOC : TRACE_FREE;
    operation->size = elements * SHMHEAP_ELEMENT;
    operation->address = what == 3 ? id + 1 : 0;
    operation->before = what == 4 ? id + 1 : 0;
    return what >= 3 ? IMPORT_OPERATION : IMPORT_NOTHING;
}

/* The next command of a set; the line is shortened by it. */
static bool shmheap_next(struct scan *line, struct scan *command)
{
    if (line->at > line->end)
        return false;
    const char *bar = memchr(line->at, '|', (size_t)(line->end - line->at));
    *command = (struct scan){line->at, bar ? bar : line->end};
    line->at = (bar ? bar : line->end) + 1;
    return true;
}

static bool shmheap_recognise(const char *start, size_t length)
{
    struct scan text = scan_over(start, length), line, command;
    struct repair_operation operation;
    return scan_line(&text, &line) && shmheap_header(line) && scan_line(&text, &line) &&
           shmheap_next(&line, &command) && shmheap_command(command, &operation) != IMPORT_BAD;
}

static uint32_t shmheap_columns(const char *start, size_t length)
{
    (void)start;
    (void)length;
    return TRACE_HAS_THREADS;
}

static int shmheap_read(struct import *import, struct source *source, struct err *err)
{
    struct scan line, command;
    bool begun = false;
    int failed = 0;
    while (!failed && source_line(source, &line)) {
        if (scan_done(&line) || *line.at == '#')
            continue;
        if (!begun) { /* the header */
            begun = true;
            continue;
        }
        while (!failed && shmheap_next(&line, &command)) {
            struct repair_operation operation;
            enum import_verdict verdict = shmheap_command(command, &operation);
            if (verdict == IMPORT_OPERATION)
                failed = import_operation(import, &operation, err);
            else if (verdict == IMPORT_BAD && source_line_is_open(source))
                import_cut(import, "the last line is not whole");
            else if (verdict == IMPORT_BAD)
                import_bad(import, command.at, (size_t)(command.end - command.at));
        }
    }
    return failed;
}

const struct importer importer_shmheap = {
    .name = "shmheap",
    .source = "shmheap runner input",
    .losses = "The order within a set of simultaneous commands is as written; there is no "
              "alignment, calloc, realloc or time.",
    .in_order = true,
    .recognise = shmheap_recognise,
    .columns = shmheap_columns,
    .read = shmheap_read,
};
