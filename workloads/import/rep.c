/* malloc-lab .rep, all dialects: header lines of one number each, then "a id size", "r id size",
 * "f id"; with two header lines each operation may be preceded by a thread number. */
#include <errno.h>

#include "workloads/import/importer.h"

struct rep {
    unsigned header_lines;
    uint64_t lines_read, operations;
    uint64_t declared; /* operations, by the header */
    bool threaded;
};

static bool rep_number_line(struct scan line, uint64_t *number)
{
    return scan_blanks(&line) && scan_decimal(&line, number) && scan_blanks(&line) &&
           scan_done(&line);
}

/* Comments, too. */
static bool rep_is_blank(struct scan line)
{
    scan_blanks(&line);
    return scan_done(&line) || *line.at == '#';
}

/* An id as an address: 0 is an id, too. f -1 is free(NULL). */
static bool rep_id(struct scan *scan, uint64_t *address)
{
    scan_blanks(scan);
    *address = 0;
    if (scan_text(scan, "-1"))
        return true;
    return scan_decimal(scan, address) && ++*address;
}

static bool rep_operation(struct scan scan, bool threaded, struct repair_operation *operation)
{
    uint64_t thread = 0, id;
    *operation = (struct repair_operation){0};
    if (!scan_blanks(&scan) || (threaded && !scan_decimal(&scan, &thread)) || !scan_blanks(&scan) ||
        scan_done(&scan))
        return false;
    char letter = *scan.at++;
    if ((letter != 'a' && letter != 'r' && letter != 'f') || !rep_id(&scan, &id))
        return false;
    operation->thread = thread;
    operation->kind = letter == 'a' ? TRACE_MALLOC : letter == 'r' ? TRACE_REALLOC : TRACE_FREE;
    operation->before = letter == 'a' ? 0 : id;
    operation->address = letter == 'f' ? 0 : id;
    if (letter != 'f' && (!scan_blanks(&scan) || !scan_decimal(&scan, &operation->size) || !id))
        return false;
    if (letter == 'r' && !operation->size)
        operation->address = 0;
    return scan_blanks(&scan) && scan_done(&scan);
}

/* The header and the first operation: two numbers (ids, operations), as a rule with a thread before
 * each operation, or four with the operations third. */
static bool rep_header(const char *start, size_t length, struct rep *rep)
{
    struct scan text = scan_over(start, length), line = {0};
    uint64_t numbers[4] = {0}, number = 0;
    struct repair_operation operation;
    *rep = (struct rep){0};
    bool more;
    while ((more = scan_line(&text, &line)) &&
           (rep_is_blank(line) || rep_number_line(line, &number))) {
        if (rep_is_blank(line))
            continue;
        if (rep->header_lines == 4)
            return false;
        numbers[rep->header_lines++] = number;
    }
    rep->threaded =
        rep->header_lines == 2 && more && scan_blanks(&line) && (unsigned)(*line.at - '0') < 10;
    rep->declared = numbers[rep->header_lines == 2 ? 1 : 2];
    if (rep->header_lines != 4 && rep->header_lines != 2)
        return false;
    return more ? rep_operation(line, rep->threaded, &operation) : true;
}

static bool rep_recognise(const char *start, size_t length)
{
    struct rep rep;
    return rep_header(start, length, &rep);
}

static uint32_t rep_columns(const char *start, size_t length)
{
    struct rep rep;
    return rep_header(start, length, &rep) && rep.threaded ? TRACE_HAS_THREADS : 0;
}

static enum import_verdict rep_take(struct scan line, void *state,
                                    struct repair_operation *operation)
{
    struct rep *rep = state;
    if (rep_is_blank(line) || rep->lines_read++ < rep->header_lines)
        return IMPORT_NOTHING;
    if (!rep_operation(line, rep->threaded, operation))
        return IMPORT_BAD;
    rep->operations++;
    return IMPORT_OPERATION;
}

static int rep_read(struct import *import, struct source *source, struct err *err)
{
    size_t length;
    struct rep rep;
    const char *start = source_start(source, &length);
    if (!rep_header(start, length, &rep))
        return err_set(err, EINVAL,
                       "no header of a .rep file: four lines of one number each, or two and then a "
                       "thread before each operation");
    int failed = import_lines(import, source, rep_take, &rep, err);
    if (rep.operations < rep.declared)
        import_cut(import, "its header declares %llu operations, %llu follow",
                   (unsigned long long)rep.declared, (unsigned long long)rep.operations);
    if (rep.operations > rep.declared)
        import_remark(import, "its header declares %llu operations, %llu follow",
                      (unsigned long long)rep.declared, (unsigned long long)rep.operations);
    return failed;
}

const struct importer importer_rep = {
    .name = "rep",
    .source = "malloc-lab .rep",
    .losses = "The source knows neither alignment nor calloc nor time, and threads only in its "
              "two-line dialect; which blocks shared an address is not in it.",
    .by_hand = true,
    .in_order = true,
    .recognise = rep_recognise,
    .columns = rep_columns,
    .read = rep_read,
};
