/* heaptrack, raw and interpreted: lines of a kind byte and lower-case hexadecimal numbers.
 *
 * Interpreted files name no addresses, only the class (size and call stack) of what is allocated
 * and freed: a free is taken for the youngest live block of its class. */
#include <errno.h>
#include <string.h>

#include "workloads/array.h"
#include "workloads/import/heaptrack_stacks.h"

enum { HEAPTRACK_NEWEST = 3 };

struct heaptrack_class {
    uint64_t size;
    uint32_t youngest; /* block + 1, 0 none */
    uint32_t site;
};

struct heaptrack {
    uint64_t time_ns;
    struct array classes; /* struct heaptrack_class */
    uint32_t class_count;
    struct array blocks; /* uint32_t: the next older block of its class + 1, or the next free */
    uint32_t block_count;
    uint32_t free_block; /* + 1, 0 none */
    struct heaptrack_stacks stacks;
    bool no_memory;
};

static bool heaptrack_hex(struct scan *scan, uint64_t *value)
{
    scan_blanks(scan);
    return scan_hex(scan, value);
}

/* Before 1.0 the tool's version was all there was. */
static bool heaptrack_version(struct scan line, uint64_t *format)
{
    uint64_t tool;
    if (!scan_text(&line, "v ") || !heaptrack_hex(&line, &tool))
        return false;
    if (!heaptrack_hex(&line, format))
        *format = 0;
    return scan_blanks(&line) && scan_done(&line);
}

static enum import_verdict heaptrack_new_class(struct heaptrack *heaptrack, struct scan line)
{
    uint64_t size, stack = 0;
    size_t bytes = (heaptrack->class_count + (size_t)1) * sizeof(struct heaptrack_class);
    if (!heaptrack_hex(&line, &size))
        return IMPORT_BAD;
    if (array_reserve(&heaptrack->classes, bytes)) {
        heaptrack->no_memory = true;
        return IMPORT_BAD;
    }
    heaptrack_hex(&line, &stack);
    struct heaptrack_class *classes = heaptrack->classes.at;
    classes[heaptrack->class_count++] = (struct heaptrack_class){
        .size = size, .site = heaptrack_stacks_site(&heaptrack->stacks, stack)};
    return IMPORT_NOTHING;
}

/* A block of a class comes to live; its address is its place among the blocks. */
static enum import_verdict heaptrack_new_block(struct heaptrack *heaptrack, uint64_t number,
                                               struct repair_operation *operation)
{
    struct heaptrack_class *classes = heaptrack->classes.at;
    if (number >= heaptrack->class_count)
        return IMPORT_BAD;
    uint32_t block = heaptrack->free_block;
    if (!block) {
        size_t bytes = (heaptrack->block_count + (size_t)1) * sizeof(uint32_t);
        if (array_reserve(&heaptrack->blocks, bytes)) {
            heaptrack->no_memory = true;
            return IMPORT_BAD;
        }
        block = ++heaptrack->block_count;
    } else
        heaptrack->free_block = ((uint32_t *)heaptrack->blocks.at)[block - 1];
    ((uint32_t *)heaptrack->blocks.at)[block - 1] = classes[number].youngest;
    classes[number].youngest = block;
    operation->address = block;
    operation->size = classes[number].size;
    operation->site = classes[number].site;
    return IMPORT_OPERATION;
}

static enum import_verdict heaptrack_free_block(struct heaptrack *heaptrack, uint64_t number,
                                                struct repair_operation *operation)
{
    struct heaptrack_class *classes = heaptrack->classes.at;
    uint32_t *blocks = heaptrack->blocks.at;
    if (number >= heaptrack->class_count)
        return IMPORT_BAD;
    uint32_t block = classes[number].youngest;
    /* None of the class is live: an orphan free, of an address that no block has. */
    operation->before = block ? block : UINT64_MAX;
    if (block) {
        classes[number].youngest = blocks[block - 1];
        blocks[block - 1] = heaptrack->free_block;
        heaptrack->free_block = block;
    }
    return IMPORT_OPERATION;
}

static enum import_verdict heaptrack_plus(struct heaptrack *heaptrack, struct scan line,
                                          struct repair_operation *operation)
{
    uint64_t first, stack;
    operation->kind = TRACE_MALLOC;
    if (!heaptrack_hex(&line, &first))
        return IMPORT_BAD;
    if (heaptrack->class_count)
        return scan_done(&line) ? heaptrack_new_block(heaptrack, first, operation) : IMPORT_BAD;
    operation->size = first;
    if (!heaptrack_hex(&line, &stack) || !heaptrack_hex(&line, &operation->address) ||
        !scan_done(&line))
        return IMPORT_BAD;
    operation->site = heaptrack_stacks_site(&heaptrack->stacks, stack);
    return IMPORT_OPERATION;
}

static enum import_verdict heaptrack_minus(struct heaptrack *heaptrack, struct scan line,
                                           struct repair_operation *operation)
{
    operation->kind = TRACE_FREE;
    if (!heaptrack_hex(&line, &operation->before) || !scan_done(&line))
        return IMPORT_BAD;
    return heaptrack->class_count ? heaptrack_free_block(heaptrack, operation->before, operation)
                                  : IMPORT_OPERATION;
}

static enum import_verdict heaptrack_take(struct scan line, void *state,
                                          struct repair_operation *operation)
{
    struct heaptrack *heaptrack = state;
    uint64_t ms;
    if (scan_done(&line))
        return IMPORT_NOTHING;
    operation->time_ns = heaptrack->time_ns;
    switch (*line.at++) {
    case '+':
        return heaptrack_plus(heaptrack, line, operation);
    case '-':
        return heaptrack_minus(heaptrack, line, operation);
    case 'a':
        return heaptrack_new_class(heaptrack, line);
    case 'c':
        if (!heaptrack_hex(&line, &ms) || ms > UINT64_MAX / 1000000)
            return IMPORT_BAD;
        heaptrack->time_ns = ms * 1000000;
        return IMPORT_NOTHING;
    case 'x':
    case 'm':
    case 's':
    case 'i':
    case 't':
        return heaptrack_stacks_take(&heaptrack->stacks, line.at[-1], line);
    default:
        return strchr("vXIRAS#", line.at[-1]) ? IMPORT_NOTHING : IMPORT_BAD;
    }
}

static bool heaptrack_recognise(const char *start, size_t length)
{
    struct scan text = scan_over(start, length), line;
    uint64_t format;
    return scan_line(&text, &line) && heaptrack_version(line, &format);
}

static uint32_t heaptrack_columns(const char *start, size_t length)
{
    (void)start;
    (void)length;
    return TRACE_HAS_TIMES | TRACE_HAS_SITES;
}

static int heaptrack_read(struct import *import, struct source *source, struct err *err)
{
    struct heaptrack heaptrack = {0};
    size_t length;
    const char *start = source_start(source, &length);
    struct scan text = scan_over(start, length), line = {0};
    uint64_t format = HEAPTRACK_NEWEST;
    scan_line(&text, &line);
    if (heaptrack_version(line, &format) && format > HEAPTRACK_NEWEST)
        return err_set(
            err, ENOTSUP,
            "this is heaptrack's file format %llu, known here is up to %d: record with an "
            "older heaptrack",
            (unsigned long long)format, HEAPTRACK_NEWEST);
    heaptrack.stacks.version = format;
    heaptrack.stacks.writer = import_writer(import);
    int failed = import_lines(import, source, heaptrack_take, &heaptrack, err);
    array_release(&heaptrack.classes);
    array_release(&heaptrack.blocks);
    heaptrack_stacks_release(&heaptrack.stacks);
    if (!failed && (heaptrack.no_memory || heaptrack.stacks.no_memory))
        return err_set(err, ENOMEM, "no memory left to keep account of heaptrack's classes");
    return failed;
}

const struct importer importer_heaptrack = {
    .name = "heaptrack",
    .source = "heaptrack",
    .losses = "heaptrack knows no threads, alignment or calloc, writes a realloc as a free and an "
              "allocation, notes of memalign and pvalloc only the frees, which are orphans here, "
              "and gives the time in milliseconds; in an interpreted file a free names "
              "only the size and stack, and the youngest such block is taken; of call stacks the "
              "innermost 16 callers are brought over, with their names where the program's files "
              "are on this machine.",
    .in_order = true,
    .recognise = heaptrack_recognise,
    .columns = heaptrack_columns,
    .read = heaptrack_read,
};
