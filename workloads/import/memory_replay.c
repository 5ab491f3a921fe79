/* Android memory_replay: "tid: malloc 0xp size", optionally with start and end in nanoseconds. */
#include <string.h>

#include "workloads/import/importer.h"

struct replay_line {
    struct repair_operation *operation; /* filled where it is zeroed */
    bool done;                          /* thread_done: nothing for a trace */
    bool timed;
};

static bool replay_alignment(struct scan *scan, struct repair_operation *operation)
{
    uint64_t align;
    if (!scan_decimal(scan, &align) || !align)
        return false;
    operation->align_log2 = (uint8_t)__builtin_ctzll(align);
    return (align & (align - 1)) == 0;
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
        operation->kind = TRACE_ALIGNED;
        if (!scan_blanks(scan) || !replay_alignment(scan, operation))
            return false;
    }
    return scan_blanks(scan) && scan_decimal(scan, &operation->size) &&
           !__builtin_mul_overflow(operation->size, count, &operation->size);
}

static bool replay_realloc(struct scan *scan, struct repair_operation *operation)
{
    operation->kind = TRACE_REALLOC;
    return scan_blanks(scan) && scan_address(scan, &operation->before) && scan_blanks(scan) &&
           scan_decimal(scan, &operation->size);
}

static bool replay_call(struct scan *scan, struct replay_line *line)
{
    struct repair_operation *operation = line->operation;
    const char *word;
    size_t length;
    if (!scan_word(scan, &word, &length) || !scan_blanks(scan) ||
        !scan_address(scan, &operation->address))
        return false;
    if (length == 6 && memcmp(word, "malloc", 6) == 0)
        return replay_allocation(scan, operation, 'a');
    if (length == 6 && memcmp(word, "calloc", 6) == 0)
        return replay_allocation(scan, operation, 'c');
    if (length == 8 && memcmp(word, "memalign", 8) == 0)
        return replay_allocation(scan, operation, 'e');
    if (length == 7 && memcmp(word, "realloc", 7) == 0)
        return replay_realloc(scan, operation);
    if (length == 4 && memcmp(word, "free", 4) == 0) {
        operation->kind = TRACE_FREE;
        operation->before = operation->address;
        operation->address = 0;
        return true;
    }
    line->done = length == 11 && memcmp(word, "thread_done", 11) == 0;
    return line->done;
}

static bool replay_line(struct scan scan, struct replay_line *line)
{
    uint64_t tid, end;
    if (!scan_blanks(&scan) || !scan_decimal(&scan, &tid) || !scan_char(&scan, ':') ||
        !scan_blanks(&scan) || !replay_call(&scan, line))
        return false;
    line->operation->thread = (uint32_t)tid;
    scan_blanks(&scan);
    if (scan_done(&scan))
        return true;
    line->timed = scan_decimal(&scan, &line->operation->time_ns) && scan_blanks(&scan) &&
                  scan_decimal(&scan, &end) && scan_blanks(&scan) && scan_done(&scan);
    return line->timed;
}

/* Of the first few lines one must be an operation. */
static bool replay_first(const char *start, size_t length, struct replay_line *found)
{
    struct scan text = scan_over(start, length), line;
    for (int i = 0; i < 10 && scan_line(&text, &line); i++) {
        struct repair_operation operation = {0};
        *found = (struct replay_line){.operation = &operation};
        if (replay_line(line, found) && !found->done)
            return true;
    }
    return false;
}

static bool replay_recognise(const char *start, size_t length)
{
    struct replay_line found;
    return replay_first(start, length, &found);
}

static uint32_t replay_columns(const char *start, size_t length)
{
    struct replay_line found;
    bool timed = replay_first(start, length, &found) && found.timed;
    return TRACE_HAS_THREADS | (timed ? TRACE_HAS_TIMES : 0);
}

static enum import_verdict replay_take(struct scan text, void *state,
                                       struct repair_operation *operation)
{
    struct replay_line line = {.operation = operation};
    (void)state;
    if (scan_done(&text))
        return IMPORT_NOTHING;
    if (!replay_line(text, &line))
        return IMPORT_BAD;
    return line.done ? IMPORT_NOTHING : IMPORT_OPERATION;
}

static int replay_read(struct import *import, struct source *source, struct err *err)
{
    return import_lines(import, source, replay_take, NULL, err);
}

const struct importer importer_memory_replay = {
    .name = "memory_replay",
    .source = "android memory_replay",
    .losses = "",
    .recognise = replay_recognise,
    .columns = replay_columns,
    .read = replay_read,
};
