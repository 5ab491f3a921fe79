/* valgrind --trace-malloc=yes: "--PID-- malloc(n) = 0xP" between other lines. */
#include "workloads/import/call.h"
#include "workloads/import/importer.h"

enum { VALGRIND_SPACE = 48 }; /* addresses of one process stay below 2 to the … */

static bool valgrind_prefix(struct scan *line, uint64_t *pid)
{
    return scan_text(line, "--") && scan_decimal(line, pid) && scan_text(line, "-- ");
}

static bool valgrind_call(struct scan *line, struct call *call)
{
    const char *bracket = memchr(line->at, '(', (size_t)(line->end - line->at));
    if (!bracket || !call_form(line->at, (size_t)(bracket - line->at), &call->form))
        return false;
    line->at = bracket + 1;
    return call_numbers(line, call) && scan_char(line, ')');
}

static bool valgrind_is_call(struct scan line)
{
    const char *bracket = memchr(line.at, '(', (size_t)(line.end - line.at));
    enum call_form form;
    return bracket && call_form(line.at, (size_t)(bracket - line.at), &form);
}

/* Processes have address spaces of their own. */
static uint64_t valgrind_address(uint64_t address, uint64_t pid)
{
    return address ? address | pid << VALGRIND_SPACE : 0;
}

static enum import_verdict valgrind_take(struct scan line, void *state,
                                         struct repair_operation *operation)
{
    uint64_t pid, address = 0;
    struct call call = {0};
    (void)state;
    if (!valgrind_prefix(&line, &pid))
        return IMPORT_NOTHING;
    if (!valgrind_is_call(line)) /* other words with a bracket are valgrind's own remarks */
        return IMPORT_NOTHING;
    if (!valgrind_call(&line, &call))
        return IMPORT_BAD;
    bool answered = scan_past(&line, " = ") && scan_number(&line, &address);
    bool resized_to_none = call.form == CALL_REALLOC && call.count == 2 && !call.numbers[1];
    if (call.form != CALL_FREE && !answered && !resized_to_none)
        return IMPORT_BAD;
    operation->thread = (uint32_t)pid;
    if (!call_operation(&call, valgrind_address(address, pid), operation))
        return IMPORT_BAD;
    operation->before = valgrind_address(operation->before, pid);
    return IMPORT_OPERATION;
}

static bool valgrind_recognise(const char *start, size_t length)
{
    struct scan text = scan_over(start, length), line;
    while (scan_line(&text, &line)) {
        uint64_t pid;
        struct call call;
        if (valgrind_prefix(&line, &pid) && valgrind_call(&line, &call))
            return true;
    }
    return false;
}

static uint32_t valgrind_columns(const char *start, size_t length)
{
    (void)start;
    (void)length;
    return 0;
}

static int valgrind_read(struct import *import, struct source *source, struct err *err)
{
    return import_lines(import, source, valgrind_take, NULL, err);
}

const struct importer importer_valgrind = {
    .name = "valgrind",
    .source = "valgrind --trace-malloc",
    .losses = "valgrind runs threads one at a time and does not name them, and gives no time; "
              "processes appear as threads.",
    .in_order = true,
    .recognise = valgrind_recognise,
    .columns = valgrind_columns,
    .read = valgrind_read,
};
