/* Firefox's logalloc: "pid tid func(args)=0xresult", or #slot where it is munged. */
#include "workloads/import/call.h"

/* The thread's number may be missing (older logs). */
static bool logalloc_prefix(struct scan *line, uint64_t *pid, uint64_t *tid)
{
    if (!scan_decimal(line, pid) || !scan_char(line, ' '))
        return false;
    *tid = *pid;
    if (!scan_done(line) && *line->at >= '0' && *line->at <= '9')
        return scan_decimal(line, tid) && scan_char(line, ' ');
    return true;
}

/* Takes a name and its bracket: "moz_arena_malloc(" is a malloc with the arena in front. */
static bool logalloc_form(struct scan *line, enum call_form *form, bool *in_arena)
{
    const char *bracket = memchr(line->at, '(', (size_t)(line->end - line->at));
    *in_arena = scan_text(line, "moz_arena_");
    if (!bracket || !call_form(line->at, (size_t)(bracket - line->at), form))
        return false;
    line->at = bracket + 1;
    return true;
}

static bool logalloc_call(struct scan *line, struct call *call)
{
    bool in_arena;
    if (!logalloc_form(line, &call->form, &in_arena) || !call_numbers(line, call) ||
        !scan_char(line, ')') || (in_arena && !call->count))
        return false;
    if (in_arena)
        memmove(call->numbers, call->numbers + 1, --call->count * sizeof *call->numbers);
    return true;
}

static bool logalloc_result(struct scan *line, uint64_t *address)
{
    *address = 0;
    if (scan_done(line))
        return true;
    if (!scan_char(line, '='))
        return false;
    return call_number(line, address) && scan_done(line);
}

static bool logalloc_parse(struct scan line, struct repair_operation *operation)
{
    uint64_t pid, tid, address;
    struct call call;
    if (!logalloc_prefix(&line, &pid, &tid) || !logalloc_call(&line, &call) ||
        !logalloc_result(&line, &address) || !call_operation(&call, address, operation))
        return false;
    operation->process = pid;
    /* Forked processes have threads of the same number. */
    operation->thread = tid ^ pid * UINT64_C(0x9e3779b97f4a7c15);
    return true;
}

/* Statistics calls and marks have the same prefix. */
static bool logalloc_is_remark(struct scan line)
{
    uint64_t pid, tid;
    enum call_form form;
    bool in_arena;
    return logalloc_prefix(&line, &pid, &tid) &&
           memchr(line.at, '(', (size_t)(line.end - line.at)) &&
           !logalloc_form(&line, &form, &in_arena);
}

static enum import_verdict logalloc_take(struct scan line, void *state,
                                         struct repair_operation *operation)
{
    (void)state;
    if (scan_done(&line))
        return IMPORT_NOTHING;
    if (logalloc_parse(line, operation))
        return IMPORT_OPERATION;
    *operation = (struct repair_operation){0};
    return logalloc_is_remark(line) ? IMPORT_NOTHING : IMPORT_BAD;
}

static bool logalloc_recognise(const char *start, size_t length)
{
    struct scan text = scan_over(start, length), line;
    for (int i = 0; i < 50 && scan_line(&text, &line); i++) {
        struct repair_operation operation = {0};
        if (logalloc_parse(line, &operation))
            return true;
    }
    return false;
}

static uint32_t logalloc_columns(const char *start, size_t length)
{
    (void)start;
    (void)length;
    return TRACE_HAS_THREADS;
}

static int logalloc_read(struct import *import, struct source *source, struct err *err)
{
    return import_lines(import, source, logalloc_take, NULL, err);
}

const struct importer importer_logalloc = {
    .name = "logalloc",
    .source = "Firefox logalloc",
    .losses = "logalloc gives no time.",
    .recognise = logalloc_recognise,
    .columns = logalloc_columns,
    .read = logalloc_read,
};
