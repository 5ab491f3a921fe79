/* The call sites of a trace. */
#include "harness/explain/sites.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/explain/frames.h"
#include "workloads/reader.h"

static void *sites_memory(void *memory)
{
    if (!memory)
        err_no_memory("call sites");
    return memory;
}

static void sites_add(struct sites *sites, const char *stack)
{
    sites->stacks =
        sites_memory(reallocarray(sites->stacks, sites->count + 1, sizeof *sites->stacks));
    sites->stacks[sites->count++] = sites_memory(strdup(stack));
}

struct site_label {
    char *text; /* owned */
    size_t site;
};

static int site_label_compare(const void *left, const void *right)
{
    const struct site_label *a = left, *b = right;
    return strcmp(a->text, b->text);
}

/* Equal labels get one number; 0 is that of no site. */
static void sites_name(struct sites *sites)
{
    struct site_label *labels = sites_memory(calloc(sites->count + 1, sizeof *labels));
    for (size_t i = 0; i < sites->count; i++)
        labels[i] = (struct site_label){sites_memory(stack_label(sites->stacks[i])), i};
    qsort(labels, sites->count, sizeof *labels, site_label_compare);
    sites->labels = sites_memory(calloc(sites->count + 1, sizeof *sites->labels));
    sites->names = sites_memory(calloc(sites->count + 1, sizeof *sites->names));
    sites->names[sites->name_count++] = sites_memory(strdup(""));
    for (size_t i = 0; i < sites->count; i++) {
        if (strcmp(labels[i].text, sites->names[sites->name_count - 1]) == 0)
            free(labels[i].text);
        else
            sites->names[sites->name_count++] = labels[i].text;
        sites->labels[labels[i].site] = (uint32_t)sites->name_count - 1;
    }
    free(labels);
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

static bool text_is(const char *text, const char *start, size_t length)
{
    return length && strlen(text) == length && memcmp(start, text, length) == 0;
}

/* By the function, with or without its arguments, or by "source.c:123". */
static bool frame_is_of(const char *frame, const char *text)
{
    size_t function = frame_function(frame), bare = strcspn(frame, "(");
    const char *source = frame_source(frame), *end = frame + frame_length(frame);
    return text_is(text, frame, function) || (bare < function && text_is(text, frame, bare)) ||
           (source < end && text_is(text, source + 2, (size_t)(end - source) - 3));
}

static bool site_is_named(const struct sites *sites, size_t site, const char *text)
{
    return strcmp(sites->names[sites->labels[site]], text) == 0 ||
           frame_is_of(stack_caller(sites->stacks[site]), text);
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
