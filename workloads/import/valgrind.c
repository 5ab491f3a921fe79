/* valgrind --trace-malloc=yes: "--PID-- malloc(n) = 0xP" between other lines.
 *
 * A call is printed when it begins, its result when it is known. Where valgrind changes the thread
 * or makes a remark in between, the result stands on a later line, and another call may follow on
 * the same one; so results go to the newest call that has none. */
#include "workloads/import/memo.h"
#include "workloads/import/pending.h"

/* A line's start up to the opening bracket. */
struct valgrind_memo {
    struct memo memo;
    uint64_t pid;
    enum call_form form;
};

struct valgrind {
    struct import *import;
    struct err *err;
    int failed;
    struct repair_operation *room; /* of the line's first operation, zeroed until there is one */
    unsigned taken;                /* operations of the line so far */
    struct pending pending;
    struct valgrind_memo starts[MEMO_PLACES];
};

/* "--PID-- ", with --time-stamp=yes "--DD:HH:MM:SS.mmm PID-- ". */
static bool valgrind_prefix(struct scan *line, uint64_t *pid)
{
    if (!scan_text(line, "--") || !scan_decimal(line, pid))
        return false;
    if (scan_text(line, "-- "))
        return true;
    return scan_char(line, ':') && scan_past(line, " ") && scan_decimal(line, pid) &&
           scan_text(line, "-- ");
}

/* A call's name and opening bracket. */
static bool valgrind_name(struct scan *line, struct call *call)
{
    const char *bracket = memchr(line->at, '(', (size_t)(line->end - line->at));
    if (!bracket || !call_form(line->at, (size_t)(bracket - line->at), &call->form))
        return false;
    line->at = bracket + 1;
    return true;
}

/* Moves behind the next prefix that a call follows: the end of a remark, or of a line that the
 * program wrote, was lost. */
static bool valgrind_seek(struct scan *line, uint64_t *pid)
{
    for (struct scan ahead = *line; scan_past(&ahead, "--"); ahead.at--) {
        struct scan behind = {ahead.at - 2, ahead.end}, name;
        struct call call;
        if (valgrind_prefix(&behind, pid) && (name = behind, valgrind_name(&name, &call))) {
            *line = behind;
            return true;
        }
    }
    return false;
}

static bool valgrind_arguments(struct scan *line, struct call *call)
{
    return call_numbers(line, call) && scan_char(line, ')');
}

static void valgrind_hand_on(struct valgrind *valgrind, struct repair_operation operation)
{
    if (!valgrind->failed)
        valgrind->failed = import_operation(valgrind->import, &operation, valgrind->err);
}

/* The first of a line, of which there is none but it as a rule, is left in its room. */
static bool valgrind_emit(struct valgrind *valgrind, uint64_t pid, const struct call *call,
                          uint64_t address)
{
    struct repair_operation another, *operation = valgrind->room;
    if (valgrind->taken)
        *(operation = &another) = (struct repair_operation){0};
    operation->thread = operation->process = pid;
    if (!call_operation(call, address, operation))
        return false;
    if (valgrind->taken == 1)
        valgrind_hand_on(valgrind, *valgrind->room);
    if (valgrind->taken++)
        valgrind_hand_on(valgrind, another);
    return true;
}

/* A realloc to nothing shows the free that it is; its own result is 0. */
static bool valgrind_free(struct valgrind *valgrind, uint64_t pid, const struct call *call)
{
    struct pending_call *newest = pending_newest(&valgrind->pending, pid);
    if (newest && newest->call.form == CALL_REALLOC && newest->call.count == 2 && call->count &&
        !newest->call.numbers[1] && newest->call.numbers[0] == call->numbers[0])
        newest->settled = true;
    return valgrind_emit(valgrind, pid, call, 0);
}

/* realloc(0, n) shows the malloc(n) that it is. */
static bool valgrind_is_inner(struct valgrind *valgrind, uint64_t pid, const struct call *call)
{
    const struct pending_call *newest = pending_newest(&valgrind->pending, pid);
    return newest && call->form == CALL_MALLOC && call->count &&
           newest->call.form == CALL_REALLOC && newest->call.count == 2 &&
           !newest->call.numbers[0] && newest->call.numbers[1] == call->numbers[0];
}

/* A calloc of more than there can be fails without a word. */
static bool valgrind_is_too_much(const struct call *call)
{
    uint64_t product;
    return call->form == CALL_CALLOC && call->count == 2 &&
           __builtin_mul_overflow(call->numbers[0], call->numbers[1], &product);
}

static bool valgrind_call(struct valgrind *valgrind, uint64_t pid, const struct call *call)
{
    if (call->form == CALL_FREE)
        return valgrind_free(valgrind, pid, call);
    if (valgrind_is_too_much(call))
        return valgrind_emit(valgrind, pid, call, 0);
    if (!valgrind_is_inner(valgrind, pid, call))
        pending_add(&valgrind->pending, pid, call);
    return true;
}

static bool valgrind_result(struct valgrind *valgrind, uint64_t pid, struct scan *line)
{
    uint64_t address;
    struct pending_call taken;
    if (!scan_number(line, &address) || !pending_take(&valgrind->pending, pid, NULL, &taken))
        return false;
    return taken.settled || valgrind_emit(valgrind, pid, &taken.call, address);
}

/* A line's start that is remembered or can be: moves behind the bracket. */
static bool valgrind_start(struct valgrind *valgrind, struct scan *line, uint64_t *pid,
                           struct call *call)
{
    struct memo *memo;
    const char *text = line->at, *bracket = memchr(text, '(', scan_left(line));
    size_t length = bracket ? (size_t)(bracket + 1 - text) : 0;
    bool known = memo_find(valgrind->starts, sizeof *valgrind->starts, text, length, &memo);
    struct valgrind_memo *start = (struct valgrind_memo *)(void *)memo;
    if (known) {
        *pid = start->pid;
        call_begin(call, start->form, false);
        line->at = bracket + 1;
        return true;
    }
    struct scan ahead = *line;
    call_begin(call, CALL_MALLOC, false);
    if (!valgrind_prefix(&ahead, pid) || !valgrind_name(&ahead, call))
        return false;
    *line = ahead;
    if (ahead.at != bracket + 1)
        return true;
    memo_keep(memo, text, length);
    start->pid = *pid;
    start->form = call->form;
    return true;
}

/* Calls and results side by side, and where a line's end was lost, the next one's; anything else is
 * a remark, up to a call or to the end of the line. False: something is not understood. */
static bool valgrind_line(struct valgrind *valgrind, struct scan line)
{
    uint64_t pid;
    struct call call;
    bool good = true;
    if (valgrind_start(valgrind, &line, &pid, &call))
        good = valgrind_arguments(&line, &call) && valgrind_call(valgrind, pid, &call);
    else if (!valgrind_prefix(&line, &pid) && !valgrind_seek(&line, &pid))
        return true;
    while (good && !scan_done(&line)) {
        call_begin(&call, CALL_MALLOC, false);
        if (scan_text(&line, " = "))
            good = valgrind_result(valgrind, pid, &line);
        else if (valgrind_name(&line, &call))
            good = valgrind_arguments(&line, &call) && valgrind_call(valgrind, pid, &call);
        else if (!valgrind_prefix(&line, &pid) && !valgrind_seek(&line, &pid))
            return true;
    }
    return good;
}

static enum import_verdict valgrind_take(struct scan line, void *state,
                                         struct repair_operation *operation)
{
    struct valgrind *valgrind = state;
    valgrind->room = operation;
    valgrind->taken = 0;
    bool good = valgrind_line(valgrind, line);
    if (good && valgrind->taken == 1)
        return IMPORT_OPERATION;
    if (valgrind->taken == 1)
        valgrind_hand_on(valgrind, *operation);
    return good ? IMPORT_NOTHING : IMPORT_BAD;
}

static bool valgrind_recognise(const char *start, size_t length)
{
    struct scan text = scan_over(start, length), line;
    while (scan_line(&text, &line)) {
        uint64_t pid;
        struct call call;
        if (valgrind_seek(&line, &pid) && valgrind_name(&line, &call) &&
            valgrind_arguments(&line, &call))
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
    struct valgrind valgrind = {.import = import, .err = err};
    int failed = import_lines(import, source, valgrind_take, &valgrind, err);
    pending_tell(&valgrind.pending, import);
    return failed ? failed : valgrind.failed;
}

const struct importer importer_valgrind = {
    .name = "valgrind",
    .source = "valgrind --trace-malloc",
    .losses = "valgrind runs threads one at a time and does not name them, and gives no time; "
              "processes appear as threads, and a forked one's frees of what it inherited are "
              "orphans.",
    .in_order = true,
    .recognise = valgrind_recognise,
    .columns = valgrind_columns,
    .read = valgrind_read,
};
