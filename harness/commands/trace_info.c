/* bench trace info: what a trace holds. */
#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "harness/commands/commands.h"
#include "harness/commands/info.h"
#include "harness/commands/text_output.h"
#include "harness/commands/trace.h"

/* A damaged trace is told as far as it is whole, and the damage after it. */
static int info_one(const char *path, FILE *out, json_t *list)
{
    struct info info = {.path = path, .out = out};
    struct err err = {0};
    int failed = info_gather(&info, &err);
    if (info.reader && list)
        json_array_append_new(list, info_json(&info));
    else if (info.reader)
        info_print(&info);
    if (failed)
        fprintf(stderr, "bench trace info: %s\n", err.text);
    info_release(&info);
    return failed ? STATUS_USAGE : STATUS_DONE;
}

struct info_arguments {
    char **paths;
    int count;
    bool json;
    const char *to;
};

static const struct argp_option info_options[] = {
    {"json", 'j', NULL, 0, "as JSON: one object, or a list of them for several traces", 0},
    {"output", 'o', "FILE", 0, "write it to FILE", 0},
    {0}};

static error_t info_parse(int key, char *value, struct argp_state *state)
{
    struct info_arguments *arguments = state->input;
    switch (key) {
    case 'j':
        arguments->json = true;
        return 0;
    case 'o':
        arguments->to = value;
        return 0;
    case ARGP_KEY_ARGS:
        arguments->paths = state->argv + state->next;
        arguments->count = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "name a trace (- for standard input)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp info_argp = {
    .options = info_options,
    .parser = info_parse,
    .args_doc = "TRACE...",
    .doc = "What a trace holds: operations, threads, load, sizes, lifetimes, where it comes from "
           "and what it lacks.\vExample:\n  bench trace info --json build.trace",
};

static void info_write_json(json_t *list, bool several, FILE *out)
{
    json_t *told = several ? list : json_array_get(list, 0);
    if (!told)
        return;
    json_dumpf(told, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
}

int trace_command_info(int argc, char **argv)
{
    struct info_arguments arguments = {0};
    struct text_output text;
    struct err err = {0};
    command_parse(&info_argp, argc, argv, 0, &arguments);
    if (text_output_open(&text, arguments.to, &err))
        return trace_refused("info", &err);
    json_t *list = arguments.json ? json_array() : NULL;
    int status = STATUS_DONE;
    for (int i = 0; i < arguments.count; i++) {
        if (i && !list)
            fputc('\n', text.file);
        int own = info_one(arguments.paths[i], text.file, list);
        status = own ? own : status;
    }
    if (list)
        info_write_json(list, arguments.count > 1, text.file);
    json_decref(list);
    return text_output_close(&text, &err) ? trace_refused("info", &err) : status;
}
