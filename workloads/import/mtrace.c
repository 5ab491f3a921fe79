/* glibc's mtrace: "@ place + 0xp 0xsize" and the like. The place may hold anything, blanks too, so
 * lines are read from the right. */
#include "workloads/import/importer.h"

struct mtrace {
    struct import *import;
    struct err *err;
    int failed;
    uint64_t before; /* of a realloc whose second line is to come */
};

/* The last word of the line, which is shortened by it. */
static bool mtrace_last(struct scan *line, struct scan *word)
{
    while (line->end > line->at && line->end[-1] == ' ')
        line->end--;
    *word = (struct scan){line->end, line->end};
    while (word->at > line->at && word->at[-1] != ' ')
        word->at--;
    line->end = word->at;
    return word->at < word->end;
}

/* 0x…, a bare 0, or (nil). */
static bool mtrace_number(struct scan word, uint64_t *value)
{
    *value = 0;
    if (scan_text(&word, "(nil)") || (*word.at == '0' && word.end - word.at == 1))
        return true;
    return scan_address(&word, value) && scan_done(&word);
}

static bool mtrace_is(struct scan word, const char *signs)
{
    return word.end - word.at == 1 && strchr(signs, *word.at);
}

static enum import_verdict mtrace_sized(struct mtrace *mtrace, char sign, uint64_t address,
                                        uint64_t size, struct repair_operation *operation)
{
    operation->kind = sign == '+' ? TRACE_MALLOC : TRACE_REALLOC;
    operation->address = address;
    operation->size = size;
    if (sign == '>') {
        operation->before = mtrace->before;
        mtrace->before = 0;
    } else if (sign == '!') { /* a failed realloc names what stays */
        operation->before = address;
        operation->address = 0;
    }
    return IMPORT_OPERATION;
}

static enum import_verdict mtrace_single(struct mtrace *mtrace, char sign, uint64_t address,
                                         struct repair_operation *operation)
{
    if (sign == '<') {
        mtrace->before = address;
        return IMPORT_NOTHING;
    }
    operation->kind = TRACE_FREE;
    operation->before = address;
    return IMPORT_OPERATION;
}

static enum import_verdict mtrace_parse(struct mtrace *mtrace, struct scan line,
                                        struct repair_operation *operation)
{
    struct scan last, middle, first;
    uint64_t one, two;
    if (scan_done(&line))
        return IMPORT_NOTHING;
    if (*line.at == '=')
        return IMPORT_NOTHING;
    if (!mtrace_last(&line, &last) || !mtrace_number(last, &one) || !mtrace_last(&line, &middle))
        return IMPORT_BAD;
    if (mtrace_is(middle, "-<"))
        return mtrace_single(mtrace, *middle.at, one, operation);
    if (!mtrace_number(middle, &two) || !mtrace_last(&line, &first) || !mtrace_is(first, "+>!"))
        return IMPORT_BAD;
    return mtrace_sized(mtrace, *first.at, two, one, operation);
}

/* Where another line begins within the line, its end having been lost; or NULL. */
static const char *mtrace_glued(struct scan line)
{
    for (const char *at = line.at + 1;
         at < line.end && (at = memchr(at, '@', (size_t)(line.end - at))); at++)
        if (line.end - at > 1 && at[1] == ' ')
            return at;
    return NULL;
}

/* False: it is not understood. */
static bool mtrace_piece(struct mtrace *mtrace, struct scan piece)
{
    struct repair_operation operation = {0};
    enum import_verdict verdict = mtrace_parse(mtrace, piece, &operation);
    if (verdict == IMPORT_OPERATION && !mtrace->failed)
        mtrace->failed = import_operation(mtrace->import, &operation, mtrace->err);
    return verdict != IMPORT_BAD;
}

/* Hands on what is on a line that is several. Of a place that holds the sign itself, a piece counts
 * as not understood that was no operation: none is lost unseen. */
static enum import_verdict mtrace_unglue(struct mtrace *mtrace, struct scan line)
{
    for (const char *next; (next = mtrace_glued(line)); line.at = next)
        if (!mtrace_piece(mtrace, (struct scan){line.at, next}))
            import_bad(mtrace->import, line.at, (size_t)(next - line.at));
    return mtrace_piece(mtrace, line) ? IMPORT_NOTHING : IMPORT_BAD;
}

static enum import_verdict mtrace_take(struct scan line, void *state,
                                       struct repair_operation *operation)
{
    return mtrace_glued(line) ? mtrace_unglue(state, line) : mtrace_parse(state, line, operation);
}

/* The beginning may be missing, or something else in front of it. */
static bool mtrace_recognise(const char *start, size_t length)
{
    struct scan text = scan_over(start, length), line;
    for (int i = 0; i < 50 && scan_line(&text, &line); i++) {
        struct mtrace mtrace = {0};
        struct repair_operation operation = {0};
        struct scan ahead = line;
        if (scan_text(&ahead, "= Start") ||
            (scan_text(&ahead, "@ ") && mtrace_parse(&mtrace, line, &operation) != IMPORT_BAD))
            return true;
    }
    return false;
}

static uint32_t mtrace_columns(const char *start, size_t length)
{
    (void)start;
    (void)length;
    return 0;
}

static int mtrace_read(struct import *import, struct source *source, struct err *err)
{
    struct mtrace mtrace = {.import = import, .err = err};
    int failed = import_lines(import, source, mtrace_take, &mtrace, err);
    return failed ? failed : mtrace.failed;
}

const struct importer importer_mtrace = {
    .name = "mtrace",
    .source = "glibc mtrace",
    .losses = "mtrace knows no threads, alignment, calloc or time, and since glibc 2.34 it notes "
              "frees late.",
    .recognise = mtrace_recognise,
    .columns = mtrace_columns,
    .read = mtrace_read,
};
