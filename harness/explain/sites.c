/* The call sites of a trace. */
#include "harness/explain/sites.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/reader.h"

static void *sites_memory(void *memory)
{
    if (!memory)
        BUG("out of memory for call sites");
    return memory;
}

/* A frame is "function+0x1f [file]", or "function (file:line)", or what a foreign trace has. */
static size_t frame_function(const char *frame)
{
    return strcspn(frame, "+ (\n");
}

/* malloc's own callers inside libraries (xmalloc, g_malloc, PyObject_Realloc, operator new) say
 * nothing of who wanted the memory. */
static bool frame_is_wrapper(const char *frame)
{
    static const char *const words[] = {"alloc", "strdup", "_Znw", "_Zna", "operator new"};
    char function[256];
    snprintf(function, sizeof function, "%.*s", (int)strcspn(frame, "+(\n"), frame);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(function, words[i]))
            return true;
    return false;
}

static const char *stack_next(const char *frame)
{
    const char *end = strchr(frame, '\n');
    return end && end[1] ? end + 1 : NULL;
}

static const char *stack_caller(const char *stack)
{
    const char *frame = stack;
    while (frame && frame_is_wrapper(frame))
        frame = stack_next(frame);
    return frame ? frame : stack;
}

static void sites_add(struct sites *sites, const char *stack)
{
    sites->stacks =
        sites_memory(reallocarray(sites->stacks, sites->count + 1, sizeof *sites->stacks));
    sites->stacks[sites->count++] = sites_memory(strdup(stack));
}

/* The frame that names a site, and the site. */
struct site_frame {
    const char *frame;
    size_t length, site;
};

static int site_frame_compare(const void *left, const void *right)
{
    const struct site_frame *a = left, *b = right;
    int order = memcmp(a->frame, b->frame, a->length < b->length ? a->length : b->length);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* Equal frames get one label; label 0 is that of no site. */
static void sites_name(struct sites *sites)
{
    struct site_frame *frames = sites_memory(calloc(sites->count + 1, sizeof *frames));
    for (size_t i = 0; i < sites->count; i++) {
        const char *frame = stack_caller(sites->stacks[i]);
        frames[i] = (struct site_frame){frame, strcspn(frame, "\n"), i};
    }
    qsort(frames, sites->count, sizeof *frames, site_frame_compare);
    sites->labels = sites_memory(calloc(sites->count + 1, sizeof *sites->labels));
    sites->names = sites_memory(calloc(sites->count + 1, sizeof *sites->names));
    sites->names[sites->name_count++] = sites_memory(strdup(""));
    for (size_t i = 0; i < sites->count; i++) {
        if (i == 0 || site_frame_compare(&frames[i - 1], &frames[i]) != 0)
            sites->names[sites->name_count++] =
                sites_memory(strndup(frames[i].frame, frames[i].length));
        sites->labels[frames[i].site] = (uint32_t)sites->name_count - 1;
    }
    free(frames);
}

int sites_read(struct sites *sites, const char *trace, struct err *err)
{
    struct trace_reader *reader;
    struct trace_block block;
    const char *stack;
    *sites = (struct sites){0};
    int more = trace_reader_open(&reader, trace, err);
    if (more < 0)
        return more;
    if (trace_reader_origin(reader)->columns & TRACE_HAS_SITES)
        while ((more = trace_reader_next(reader, &block, err)) > 0)
            continue;
    for (uint32_t site = 1; more == 0 && (stack = trace_reader_site(reader, site)); site++)
        sites_add(sites, stack);
    sites_name(sites);
    trace_reader_close(reader);
    return more;
}

void sites_release(struct sites *sites)
{
    for (size_t i = 0; i < sites->count; i++)
        free(sites->stacks[i]);
    for (size_t i = 0; i < sites->name_count; i++)
        free(sites->names[i]);
    free(sites->stacks);
    free(sites->labels);
    free(sites->names);
    *sites = (struct sites){0};
}

uint32_t sites_label(const struct sites *sites, uint32_t site)
{
    return site && site <= sites->count ? sites->labels[site - 1] : 0;
}

/* ---- matching ---- */

static bool frame_is_of(const char *frame, const char *function)
{
    size_t length = frame_function(frame);
    return strlen(function) == length && memcmp(frame, function, length) == 0;
}

static bool site_is_named(const struct sites *sites, size_t site, const char *text)
{
    const char *name = sites->names[sites->labels[site]];
    return strcmp(name, text) == 0 || frame_is_of(name, text);
}

static bool site_passes(const struct sites *sites, size_t site, const char *text)
{
    for (const char *frame = sites->stacks[site]; frame; frame = stack_next(frame))
        if (frame_is_of(frame, text))
            return true;
    return false;
}

size_t sites_match(const struct sites *sites, const char *text, uint8_t *bits, size_t room)
{
    static bool (*const tests[])(const struct sites *, size_t, const char *) = {site_is_named,
                                                                                site_passes};
    size_t matched = 0;
    for (size_t test = 0; test < 2 && !matched; test++)
        for (size_t i = 0; i < sites->count && i + 1 < room; i++)
            if (tests[test](sites, i, text)) {
                bits[(i + 1) / 8] |= (uint8_t)(1u << (i + 1) % 8);
                matched++;
            }
    return matched;
}
