/* ltrace -f: "pid where->malloc(n) = 0xp", calls of several threads interleaved. */
#include "workloads/import/memo.h"
#include "workloads/import/pending.h"

/* What a line says up to the opening bracket, or up to "resumed>". */
struct ltrace_start {
    uint64_t pid;
    enum call_form form;
    bool allocates; /* or frees: else a call of another function */
    bool wraps;
    bool resumed;
    bool entered; /* shown by the library that is entered, "malloc@libc.so.6", not by the caller */
};

struct ltrace_line {
    struct ltrace_start start;
    struct call call;
    struct scan rest; /* behind the start */
};

struct ltrace_memo {
    struct memo memo;
    struct ltrace_start start;
};

struct ltrace {
    struct pending pending;
    struct ltrace_memo starts[MEMO_PLACES];
};

/* "[pid N] " or "N ", then time stamps and "[instruction] ", which are passed over. */
static void ltrace_prefix(struct scan *line, struct ltrace_start *start)
{
    struct scan ahead = *line;
    start->pid = 0;
    scan_blanks(&ahead);
    bool bracket = scan_text(&ahead, "[pid ");
    if (scan_decimal(&ahead, &start->pid) && scan_char(&ahead, bracket ? ']' : ' '))
        *line = ahead;
    else
        start->pid = 0; /* a time's hours or seconds */
    while (!scan_done(line) && ((unsigned)(*line->at - '0') < 10 || *line->at == ' ' ||
                                *line->at == '.' || *line->at == ':' || *line->at == '\t'))
        line->at++;
    ahead = *line;
    uint64_t instruction;
    if (scan_char(&ahead, '[') && scan_address(&ahead, &instruction) && scan_text(&ahead, "] "))
        *line = ahead;
    scan_blanks(line);
}

/* "operator new[](unsigned long, std::align_val_t)", as names are printed with -C. */
static bool ltrace_operator(struct scan *line, struct ltrace_start *start)
{
    bool allocates = scan_text(line, "operator new");
    if (!allocates && !scan_text(line, "operator delete"))
        return false;
    scan_text(line, "[]");
    struct scan signature = *line;
    if (!scan_char(line, '(') || !scan_past(line, ")"))
        return false;
    signature.end = line->at;
    start->wraps = true;
    start->form = !allocates                             ? CALL_FREE
                  : scan_past(&signature, "align_val_t") ? CALL_SIZE_ALIGNED
                                                         : CALL_MALLOC;
    return true;
}

/* The function's name: behind "->" where there is one, up to the bracket. False: none that
 * allocates or frees. */
static bool ltrace_name(struct scan *line, char stop, struct ltrace_start *start)
{
    const char *bracket = memchr(line->at, stop, scan_left(line));
    if (!bracket)
        return false;
    struct scan name = {bracket, bracket};
    const char *version = NULL;
    for (; name.at > line->at && name.at[-1] != '>'; name.at--)
        version = name.at[-1] == '@' ? name.at - 1 : version;
    struct scan ahead = {name.at, line->end};
    if (ltrace_operator(&ahead, start)) {
        *line = ahead;
        return stop != '(' || scan_char(line, '(');
    }
    line->at = bracket + 1;
    size_t length = (size_t)((version ? version : name.end) - name.at);
    start->wraps = *name.at == '_';
    start->entered = version;
    return call_form(name.at, length, &start->form);
}

/* Reads a line's start and moves behind it. */
static struct ltrace_start ltrace_begin(struct scan *line)
{
    struct ltrace_start start = {0};
    ltrace_prefix(line, &start);
    start.resumed = scan_text(line, "<... ");
    start.allocates = !scan_done(line) && ltrace_name(line, start.resumed ? ' ' : '(', &start);
    if (start.resumed && !scan_text(line, "resumed>") && !scan_past(line, "resumed>"))
        start.allocates = false;
    return start;
}

/* The same by what is remembered. What a start says is all in it, if it ends where it seems to: at
 * the first bracket, and where a call is resumed, there is none. */
static struct ltrace_start ltrace_known(struct ltrace *ltrace, struct scan *line)
{
    const char *text = line->at, *stop = memchr(text, '(', scan_left(line));
    if (!stop && !(stop = memchr(text, '>', scan_left(line))))
        return ltrace_begin(line);
    struct memo *memo;
    size_t length = (size_t)(stop + 1 - text);
    bool known = memo_find(ltrace->starts, sizeof *ltrace->starts, text, length, &memo);
    struct ltrace_memo *place = (struct ltrace_memo *)(void *)memo;
    if (known) {
        line->at = stop + 1;
        return place->start;
    }
    struct ltrace_start start = ltrace_begin(line);
    if (line->at == stop + 1) {
        memo_keep(memo, text, length);
        place->start = start;
    }
    return start;
}

/* Behind it there is at most the time that the call took: another line, whose digits may have run
 * into the result's, is none. */
static bool ltrace_result(struct scan *rest, uint64_t *address)
{
    *address = 0;
    scan_blanks(rest);
    if (scan_char(rest, ')'))
        scan_blanks(rest);
    if (!scan_text(rest, "= ") && !scan_past(rest, "= "))
        return false;
    scan_blanks(rest);
    if (!scan_text(rest, "<void>") && !call_number(rest, address))
        return false;
    scan_blanks(rest);
    return scan_done(rest) || *rest->at == '<';
}

/* A free takes effect when it is called, an allocation when it returns. */
static enum import_verdict ltrace_leave_open(struct pending *pending,
                                             const struct ltrace_line *line,
                                             struct repair_operation *operation)
{
    pending_add(pending, line->start.pid, &line->call);
    if (line->call.form != CALL_FREE)
        return IMPORT_NOTHING;
    pending_newest(pending, line->start.pid)->settled = true;
    return call_operation(&line->call, 0, operation) ? IMPORT_OPERATION : IMPORT_BAD;
}

static enum import_verdict ltrace_finish(struct pending *pending, struct ltrace_line *line,
                                         struct repair_operation *operation)
{
    uint64_t address;
    if (line->start.resumed) {
        struct pending_call open;
        if (!pending_take(pending, line->start.pid, &line->call.form, &open))
            return IMPORT_BAD;
        if (open.settled)
            return IMPORT_NOTHING;
        line->call = open.call;
    }
    if (!ltrace_result(&line->rest, &address) || !call_operation(&line->call, address, operation))
        return IMPORT_BAD;
    return IMPORT_OPERATION;
}

/* Whether the call is one that is under way already: calls within libraries show where they were
 * asked for (-x, -l), those that an operator makes and those that the caller shows, too. new of
 * nothing takes a byte. */
static bool ltrace_is_inner(struct pending *pending, const struct ltrace_line *line)
{
    const struct pending_call *newest = pending_newest(pending, line->start.pid);
    const struct call *outer = newest ? &newest->call : NULL, *inner = &line->call;
    if (!outer || (!outer->wraps && !line->start.entered) || inner->wraps || !outer->count ||
        !inner->count)
        return false;
    if (outer->form == CALL_SIZE_ALIGNED)
        return inner->form == CALL_ALIGNED;
    return inner->form == outer->form &&
           (inner->numbers[0] == outer->numbers[0] ||
            (inner->form == CALL_MALLOC && inner->numbers[0] == 1 && !outer->numbers[0]));
}

static bool ltrace_has_no_result(const struct ltrace_line *line, struct scan text)
{
    return line->call.form == CALL_ALIGNED && scan_past(&text, "posix_memalign");
}

/* The rest of a call begins where its numbers end; `whole` is whether the line ends with it. */
static bool ltrace_is_open(struct scan *rest, bool *whole)
{
    scan_blanks(rest);
    bool open = scan_text(rest, "<unfinished ...>") || scan_text(rest, "<no return ...>");
    *whole = !open || (scan_blanks(rest) && scan_done(rest));
    return open;
}

/* Behind the start of a call. */
static enum import_verdict ltrace_call(struct pending *pending, struct ltrace_line *line,
                                       struct repair_operation *operation)
{
    bool resumed = line->start.resumed, whole = true;
    if (!resumed && !call_numbers(&line->rest, &line->call))
        return IMPORT_BAD;
    bool inner = !resumed && ltrace_is_inner(pending, line);
    bool open = ltrace_is_open(&line->rest, &whole);
    if (!whole)
        return IMPORT_BAD;
    if (inner && open) {
        pending_add(pending, line->start.pid, &line->call);
        pending_newest(pending, line->start.pid)->settled = true;
    }
    if (inner || (open && resumed))
        return IMPORT_NOTHING;
    if (open)
        return ltrace_leave_open(pending, line, operation);
    return ltrace_finish(pending, line, operation);
}

static enum import_verdict ltrace_take(struct scan text, void *state,
                                       struct repair_operation *operation)
{
    struct ltrace *ltrace = state;
    struct ltrace_line line;
    line.rest = text;
    line.start = ltrace_known(ltrace, &line.rest);
    if (!line.start.allocates)
        return IMPORT_NOTHING;
    call_begin(&line.call, line.start.form, line.start.wraps);
    if (ltrace_has_no_result(&line, text))
        return IMPORT_NOTHING;
    operation->thread = line.start.pid;
    return ltrace_call(&ltrace->pending, &line, operation);
}

static bool ltrace_recognise(const char *start, size_t length)
{
    struct scan text = scan_over(start, length), line;
    while (scan_line(&text, &line))
        if (ltrace_begin(&line).allocates &&
            (scan_past(&line, ") ") || scan_past(&line, "<unfinished ...>")))
            return true;
    return false;
}

static uint32_t ltrace_columns(const char *start, size_t length)
{
    (void)start;
    (void)length;
    return TRACE_HAS_THREADS;
}

static int ltrace_read(struct import *import, struct source *source, struct err *err)
{
    struct ltrace ltrace = {0};
    int failed = import_lines(import, source, ltrace_take, &ltrace, err);
    pending_tell(&ltrace.pending, import);
    return failed;
}

const struct importer importer_ltrace = {
    .name = "ltrace",
    .source = "ltrace",
    .losses = "ltrace shows no result of posix_memalign: such blocks are left out, and their frees "
              "are orphans; processes and threads are not told apart; no time is brought over.",
    .recognise = ltrace_recognise,
    .columns = ltrace_columns,
    .read = ltrace_read,
};
