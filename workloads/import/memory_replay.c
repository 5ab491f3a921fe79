/* Android memory_replay: "tid: malloc 0xp size", optionally with start and end in nanoseconds. */
#include "workloads/import/importer.h"

struct replay_line {
    struct repair_operation *operation; /* filled where it is zeroed */
    bool done;                          /* thread_done: nothing for a trace */
    bool timed;
};

/* With or without 0x. */
static bool replay_address(struct scan *scan, uint64_t *address)
{
    scan_text(scan, "0x");
    return scan_hex(scan, address);
}

static bool replay_alignment(struct scan *scan, struct repair_operation *operation)
{
    uint64_t align;
    return scan_decimal(scan, &align) && import_align(operation, align);
}

static bool replay_allocation(struct scan *scan, struct repair_operation *operation, char letter)
{
    uint64_t count = 1;
    operation->kind = TRACE_MALLOC;
    if (letter == 'c') {
        operation->kind = TRACE_CALLOC;
        if (!scan_blanks(scan) || !scan_decimal(scan, &count))
            return false;
    } else if (letter == 'e') {
        if (!scan_blanks(scan) || !replay_alignment(scan, operation))
            return false;
    }
    return scan_blanks(scan) && scan_decimal(scan, &operation->size) &&
           (!__builtin_mul_overflow(operation->size, count, &operation->size) ||
            !operation->address);
}

static bool replay_realloc(struct scan *scan, struct repair_operation *operation)
{
    operation->kind = TRACE_REALLOC;
    return scan_blanks(scan) && replay_address(scan, &operation->before) && scan_blanks(scan) &&
           scan_decimal(scan, &operation->size);
}

static bool replay_free(struct scan *scan, struct repair_operation *operation)
{
    operation->kind = TRACE_FREE;
    return scan_blanks(scan) && replay_address(scan, &operation->before);
}

/* A word, which a blank ends. */
__attribute__((always_inline)) static inline bool replay_is(struct scan *scan, const char *word)
{
    struct scan ahead = *scan;
    if (!scan_text(&ahead, word) || scan_done(&ahead) || (*ahead.at != ' ' && *ahead.at != '\t'))
        return false;
    *scan = ahead;
    return true;
}

static bool replay_call(struct scan *scan, struct replay_line *line)
{
    struct repair_operation *operation = line->operation;
    char letter = scan_done(scan) ? '\0' : *scan->at;
    if (replay_is(scan, "free"))
        return replay_free(scan, operation);
    bool is_realloc = replay_is(scan, "realloc");
    if (!is_realloc && !replay_is(scan, "malloc") && !replay_is(scan, "calloc")) {
        letter = 'e';
        line->done = replay_is(scan, "thread_done");
        if (!line->done && !replay_is(scan, "memalign"))
            return false;
    }
    if (!scan_blanks(scan) || !replay_address(scan, &operation->address))
        return false;
    if (is_realloc)
        return replay_realloc(scan, operation);
    return line->done || replay_allocation(scan, operation, letter);
}

/* Frees and reallocs may end with how much of the block was resident, -1 unknown. */
static bool replay_present(struct scan scan, uint8_t kind)
{
    uint64_t bytes;
    if (scan_done(&scan))
        return true;
    scan_char(&scan, '-');
    return (kind == TRACE_FREE || kind == TRACE_REALLOC) && scan_decimal(&scan, &bytes) &&
           scan_blanks(&scan) && scan_done(&scan);
}

static bool replay_line(struct scan scan, struct replay_line *line)
{
    uint64_t tid, end;
    if (!scan_blanks(&scan) || !scan_decimal(&scan, &tid) || !scan_char(&scan, ':') ||
        !scan_blanks(&scan) || !replay_call(&scan, line))
        return false;
    line->operation->thread = tid;
    scan_blanks(&scan);
    if (scan_done(&scan))
        return true;
    if (!scan_decimal(&scan, &line->operation->time_ns) || !scan_blanks(&scan))
        return false;
    if (line->done && scan_done(&scan))
        return true;
    line->timed = scan_decimal(&scan, &end) && scan_blanks(&scan);
    return line->timed && replay_present(scan, line->operation->kind);
}

/* Of the first lines one must be an operation. The first time may stand on any of them: 0 none. */
static bool replay_first(const char *start, size_t length, uint64_t *time_ns)
{
    struct scan text = scan_over(start, length), line;
    bool any = false;
    *time_ns = 0;
    for (int i = 0; i < 50 && scan_line(&text, &line) && !*time_ns; i++) {
        struct repair_operation operation = {0};
        struct replay_line found = {.operation = &operation};
        any |= replay_line(line, &found) && !found.done;
        *time_ns = found.timed ? operation.time_ns : 0;
    }
    return any;
}

static bool replay_recognise(const char *start, size_t length)
{
    uint64_t time_ns;
    return replay_first(start, length, &time_ns);
}

static uint32_t replay_columns(const char *start, size_t length)
{
    uint64_t time_ns;
    bool timed = replay_first(start, length, &time_ns) && time_ns;
    return TRACE_HAS_THREADS | (timed ? TRACE_HAS_TIMES : 0);
}

/* An operation without a time has that of the one before it. */
static enum import_verdict replay_take(struct scan text, void *state,
                                       struct repair_operation *operation)
{
    struct replay_line line = {.operation = operation};
    uint64_t *time_ns = state;
    if (scan_done(&text))
        return IMPORT_NOTHING;
    if (!replay_line(text, &line))
        return IMPORT_BAD;
    if (line.timed)
        *time_ns = operation->time_ns;
    operation->time_ns = *time_ns;
    return line.done ? IMPORT_NOTHING : IMPORT_OPERATION;
}

static int replay_read(struct import *import, struct source *source, struct err *err)
{
    size_t length;
    uint64_t time_ns;
    const char *start = source_start(source, &length);
    replay_first(start, length, &time_ns);
    return import_lines(import, source, replay_take, &time_ns, err);
}

const struct importer importer_memory_replay = {
    .name = "memory_replay",
    .source = "android memory_replay",
    .losses = "",
    .recognise = replay_recognise,
    .columns = replay_columns,
    .read = replay_read,
};
