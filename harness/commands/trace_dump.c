/* bench trace dump: operations as text. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "harness/commands/commands.h"
#include "harness/commands/text_output.h"
#include "harness/commands/trace.h"
#include "results/text.h"
#include "workloads/reader.h"
#include "workloads/symbols.h"

struct dump_arguments {
    const char *path;
    const char *to;
    bool json, sites;
};

static const struct argp_option dump_options[] = {
    {"json", 'j', NULL, 0, "one JSON object a line", 0},
    {"sites", 's', NULL, 0, "the call sites instead: their callers, the innermost first", 0},
    {"output", 'o', "FILE", 0, "write it to FILE", 0},
    {0}};

static error_t dump_parse(int key, char *value, struct argp_state *state)
{
    struct dump_arguments *arguments = state->input;
    switch (key) {
    case 'j':
        arguments->json = true;
        return 0;
    case 's':
        arguments->sites = true;
        return 0;
    case 'o':
        arguments->to = value;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->path)
            argp_error(state, "one trace at a time: what is '%s'?", value);
        arguments->path = value;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "name a trace (- for standard input)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp dump_argp = {
    .options = dump_options,
    .parser = dump_parse,
    .args_doc = "TRACE",
    .doc = "The operations of a trace, one a line: number, time in ns (where known), thread, kind, "
           "object, and for what has them size, alignment, call site, pages touched where not all "
           "were; '!' marks a failed call.\vExample:\n  bench trace dump build.trace | head",
};

static const char *const dump_kinds[TRACE_KINDS] = {"malloc",  "calloc", "realloc",
                                                    "aligned", "free",   "mark"};

static void dump_text(FILE *out, const struct trace_reader *reader, uint64_t number,
                      const struct trace_event *event, bool times)
{
    fprintf(out, "%" PRIu64, number);
    if (times)
        fprintf(out, " %" PRIu64, event->time_ns);
    fprintf(out, " t%" PRIu32 " %s%s", event->thread, dump_kinds[event->kind],
            event->flags & TRACE_FAILED ? "!" : "");
    if (event->kind == TRACE_MARK) {
        const char *label = trace_reader_label(reader, event->object);
        fputc(' ', out);
        text_plain(out, label ? label : "?");
        fputc('\n', out);
        return;
    }
    if (event->object == TRACE_NO_OBJECT)
        fputs(" -", out);
    else
        fprintf(out, " #%" PRIu32, event->object);
    if (event->kind != TRACE_FREE)
        fprintf(out, " %" PRIu64, event->size);
    if (event->kind == TRACE_ALIGNED)
        fprintf(out, " align %" PRIu64, UINT64_C(1) << event->align_log2);
    if (event->site)
        fprintf(out, " site %" PRIu32, event->site);
    if (event->touched_pages)
        fprintf(out, " touched %" PRIu32 " pages", event->touched_pages);
    fputc('\n', out);
}

/* Labels may hold any bytes: what is no UTF-8 is left out. */
static void dump_json_label(FILE *out, const char *label)
{
    json_t *text = json_string(label ? label : "?");
    fputs(", \"label\": ", out);
    if (text)
        json_dumpf(text, out, JSON_ENCODE_ANY);
    else
        fputs("\"?\"", out);
    json_decref(text);
}

static void dump_json(FILE *out, const struct trace_reader *reader, uint64_t number,
                      const struct trace_event *event)
{
    char touched[16] = "null"; /* all of them, or not known */
    if (event->touched_pages)
        snprintf(touched, sizeof touched, "%" PRIu32, event->touched_pages);
    fprintf(out,
            "{\"event\": %" PRIu64 ", \"time_ns\": %" PRIu64 ", \"thread\": %" PRIu32
            ", \"kind\": \"%s\", ",
            number, event->time_ns, event->thread, dump_kinds[event->kind]);
    if (event->object == TRACE_NO_OBJECT)
        fputs("\"object\": null", out);
    else
        fprintf(out, "\"object\": %" PRIu32, event->object);
    fprintf(out,
            ", \"size\": %" PRIu64 ", \"align\": %" PRIu64 ", \"site\": %" PRIu32
            ", \"touched_pages\": %s, \"failed\": %s",
            event->size, event->kind == TRACE_ALIGNED ? UINT64_C(1) << event->align_log2 : 0,
            event->site, touched, event->flags & TRACE_FAILED ? "true" : "false");
    if (event->kind == TRACE_MARK)
        dump_json_label(out, trace_reader_label(reader, event->object));
    fputs("}\n", out);
}

static int dump_all(struct trace_reader *reader, bool json, FILE *out, struct err *err)
{
    bool times = trace_reader_origin(reader)->columns & TRACE_HAS_TIMES;
    struct trace_block block;
    int more;
    while ((more = trace_reader_next(reader, &block, err)) == 1) {
        for (size_t i = 0, touched = 0; i < block.count; i++) {
            struct trace_event event = trace_block_at(&block, i);
            event.touched_pages = trace_block_touched(&block, i, &touched);
            if (json)
                dump_json(out, reader, block.first + i, &event);
            else
                dump_text(out, reader, block.first + i, &event, times);
        }
        if (ferror(out))
            return 0;
    }
    return more;
}

static void dump_site_text(FILE *out, uint32_t site, const char *frames)
{
    fprintf(out, "site %" PRIu32 "\n", site);
    for (size_t length; *frames; frames += length + (frames[length] == '\n')) {
        char frame[SYMBOLS_FRAME];
        length = strcspn(frames, "\n");
        snprintf(frame, sizeof frame, "%.*s", (int)length, frames);
        fputs("  ", out);
        text_plain(out, frame);
        fputc('\n', out);
    }
}

/* Frames may hold any bytes: what is no UTF-8 is left out. */
static void dump_site_json(FILE *out, uint32_t site, const char *frames)
{
    json_t *list = json_array();
    for (size_t length; *frames; frames += length + (frames[length] == '\n')) {
        length = strcspn(frames, "\n");
        json_t *frame = json_stringn(frames, length);
        json_array_append_new(list, frame ? frame : json_string("?"));
    }
    json_t *line = json_pack("{s:I, s:o}", "site", (json_int_t)site, "frames", list);
    json_dumpf(line, out, 0);
    json_decref(line);
    fputc('\n', out);
}

/* A site is known once the block that first names it was read. */
static int dump_sites(struct trace_reader *reader, bool json, FILE *out, struct err *err)
{
    struct trace_block block;
    const char *frames;
    int more;
    while ((more = trace_reader_next(reader, &block, err)) == 1)
        continue;
    uint32_t site = 1;
    for (; (frames = trace_reader_site(reader, site)); site++)
        (json ? dump_site_json : dump_site_text)(out, site, frames);
    return more || site > 1
               ? more
               : err_set(err, ENOENT, "%s has no call sites: bench record --stacks records them",
                         trace_reader_name(reader));
}

int trace_command_dump(int argc, char **argv)
{
    struct dump_arguments arguments = {0};
    struct trace_reader *reader;
    struct text_output text;
    struct err err = {0}, later = {0};
    command_parse(&dump_argp, argc, argv, 0, &arguments);
    int failed = trace_reader_open(&reader, arguments.path, &err);
    if (failed)
        return trace_refused("dump", &err);
    failed = text_output_open(&text, arguments.to, &err);
    if (!failed) {
        failed = (arguments.sites ? dump_sites : dump_all)(reader, arguments.json, text.file, &err);
        int late = text_output_close(&text, &later);
        if (late && !failed)
            err = later;
        failed = failed ? failed : late;
    }
    trace_reader_close(reader);
    return failed ? trace_refused("dump", &err) : STATUS_DONE;
}
