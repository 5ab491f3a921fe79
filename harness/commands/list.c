/* bench list: what can be measured. One tree is built; --json writes it, the text form walks it. */
#include <argp.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "allocators/library.h"
#include "allocators/registry.h"
#include "harness/commands/commands.h"

#include "plots/figures.h"
#include "workloads/generate/generate.h"

static json_t *list_options(const struct option_row *rows)
{
    static const char *const types[] = {
        [OPTION_FLAG] = "flag", [OPTION_COUNT] = "count",   [OPTION_SIZE] = "size",
        [OPTION_TIME] = "time", [OPTION_CHOICE] = "choice", [OPTION_TEXT] = "text",
    };
    json_t *options = json_array();
    for (size_t i = 0; i < options_count(rows); i++)
        json_array_append_new(options,
                              json_pack("{s:s, s:s, s:s?, s:s, s:s?}", "name", rows[i].name, "type",
                                        types[rows[i].type], "default", rows[i].fallback, "help",
                                        rows[i].help, "choices", rows[i].choices));
    return options;
}

static void list_add_if(json_t *words, bool present, const char *word)
{
    if (present)
        json_array_append_new(words, json_string(word));
}

/* Presence of a hook is capability. */
static json_t *list_capabilities(const struct allocator *a)
{
    json_t *words = json_array();
    list_add_if(words, a->zalloc, "zalloc");
    list_add_if(words, a->realloc, "realloc");
    list_add_if(words, a->alloc_aligned, "alloc_aligned");
    list_add_if(words, a->usable_size, "usable_size");
    list_add_if(words, a->resolve, "resolve");
    list_add_if(words, a->attach, "attach");
    list_add_if(words, a->thread_enter, "thread_enter");
    list_add_if(words, a->trim, "trim");
    list_add_if(words, a->stats, "stats");
    list_add_if(words, a->walk, "walk");
    list_add_if(words, a->check, "check");
    return words;
}

static json_t *list_flags(const struct allocator *a)
{
    json_t *words = json_array();
    list_add_if(words, allocator_has(a, ALLOCATOR_NO_FREE), "no_free");
    list_add_if(words, allocator_has(a, ALLOCATOR_NOT_REAL), "not_real");
    list_add_if(words, allocator_has(a, ALLOCATOR_WALK_TILES), "walk_tiles");
    list_add_if(words, allocator_has(a, ALLOCATOR_FORK_SAFE), "fork_safe");
    list_add_if(words, allocator_has(a, ALLOCATOR_PROCESS_SHARED), "process_shared");
    return words;
}

/* `external` is NULL for a built-in backend. */
static json_t *list_allocator(const struct allocator *a, const struct external *external)
{
    static const char *const threads[] = {
        [THREADS_ONE] = "one", [THREADS_OWNER] = "owner", [THREADS_ANY] = "any"};
    static const char *const scopes[] = {[SCOPE_HEAP] = "heap", [SCOPE_PROCESS] = "process"};
    char path[PATH_MAX];
    const char *found = external ? library_find(external->library, path, sizeof path) : NULL;
    json_t *row = json_pack(
        "{s:s, s:s, s:s, s:b, s:I, s:s, s:s, s:o, s:o, s:o}", "name",
        external ? external->name : a->name, "summary", external ? external->summary : a->summary,
        "kind", external ? "external" : "built-in", "installed", !external || found, "align",
        (json_int_t)a->align, "threads", threads[a->threads], "scope", scopes[a->scope], "flags",
        list_flags(a), "capabilities", list_capabilities(a), "options", list_options(a->options));
    if (external)
        json_object_update_new(row, json_pack("{s:s, s:s?, s:s}", "library", external->library,
                                              "path", found, "package", external->package));
    return row;
}

static json_t *list_allocators(void)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < registry_backends(); i++)
        json_array_append_new(rows, list_allocator(registry_backend(i), NULL));
    for (size_t i = 0; i < registry_externals(); i++)
        json_array_append_new(rows, list_allocator(&allocator_system, registry_external(i)));
    return rows;
}

static json_t *list_named(const char *name, const char *summary, const struct option_row *options)
{
    return json_pack("{s:s, s:s, s:o}", "name", name, "summary", summary, "options",
                     list_options(options));
}

static json_t *list_layers(void)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < registry_layers(); i++) {
        const struct layer *layer = registry_layer(i);
        json_array_append_new(rows, list_named(layer->name, layer->summary, layer->options));
    }
    return rows;
}

static json_t *list_workloads(void)
{
    json_t *rows = json_array();
    for (size_t i = 0; generators[i]; i++)
        json_array_append_new(
            rows, list_named(generators[i]->name, generators[i]->summary, generators[i]->options));
    return rows;
}

static json_t *list_figure(const char *name, const char *summary, const char *reading)
{
    return json_pack("{s:s, s:s, s:s}", "name", name, "summary", summary, "reading", reading);
}

static json_t *list_figures(void)
{
    json_t *rows = json_array();
#define LIST_FIGURE(symbol, name, summary, reading)                                                \
    json_array_append_new(rows, list_figure(name, summary, reading));
    FIGURES(LIST_FIGURE)
    return rows;
}

/* ---- the text form -------------------------------------------------------------------------- */

static const char *list_text(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

static void list_print_options(const json_t *row)
{
    size_t i;
    json_t *option;
    json_array_foreach(json_object_get(row, "options"), i, option)
    {
        char setting[64];
        snprintf(setting, sizeof setting, "%s=%s", list_text(option, "name"),
                 list_text(option, "default"));
        printf("    :%-18s %s", setting, list_text(option, "help"));
        if (*list_text(option, "choices"))
            printf(" (%s)", list_text(option, "choices"));
        putchar('\n');
    }
}

static void list_print_words(const char *title, const json_t *words)
{
    size_t i;
    json_t *word;
    if (!json_array_size(words))
        return;
    printf("    %s", title);
    json_array_foreach(words, i, word) printf(" %s", json_string_value(word));
    putchar('\n');
}

static void list_print_allocator(const json_t *row)
{
    printf("%-12s %-9s %5lld  %-7s %-8s %s\n", list_text(row, "name"),
           json_is_true(json_object_get(row, "installed")) ? list_text(row, "kind") : "missing",
           json_integer_value(json_object_get(row, "align")), list_text(row, "threads"),
           list_text(row, "scope"), list_text(row, "summary"));
    if (!json_is_true(json_object_get(row, "installed")))
        printf("    not installed: apt-get install %s\n", list_text(row, "package"));
    if (strcmp(list_text(row, "kind"), "built-in") == 0) {
        list_print_words("has", json_object_get(row, "capabilities"));
        list_print_words("is", json_object_get(row, "flags"));
    }
    list_print_options(row);
}

static void list_print_named(const char *title, const json_t *rows)
{
    size_t i;
    json_t *row;
    if (!json_array_size(rows))
        return;
    printf("\n%s\n", title);
    json_array_foreach(rows, i, row)
    {
        printf("%-20s %s\n", list_text(row, "name"), list_text(row, "summary"));
        list_print_options(row);
    }
}

static void list_print(const json_t *tree)
{
    size_t i;
    json_t *row;
    printf("%-12s %-9s %5s  %-7s %-8s\n", "ALLOCATOR", "KIND", "ALIGN", "THREADS", "SCOPE");
    json_array_foreach(json_object_get(tree, "allocators"), i, row) list_print_allocator(row);
    list_print_named("LAYERS, written behind an allocator: first-fit+checked",
                     json_object_get(tree, "layers"));
    list_print_named("WORKLOADS", json_object_get(tree, "workloads"));
    list_print_named("FIGURES", json_object_get(tree, "figures"));
}

/* ---- the command ------------------------------------------------------------------------------
 */

static error_t list_parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key == 'j')
        *(bool *)state->input = true;
    else if (key == ARGP_KEY_ARG)
        argp_error(state, "it takes no argument, so not '%s' either", arg);
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

int command_list(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"json", 'j', NULL, 0, "write JSON", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = list_parse,
        .doc = "Lists allocators with their capabilities and options, layers, workloads and "
               "figures.\v"
               "An allocator is written NAME[+LAYER...][:OPTION=VALUE,...]; a name in capitals is "
               "an environment variable; so:PATH preloads any library.\n\nExample:\n"
               "  bench list --json | jq -r '.allocators[] | select(.installed).name'",
    };
    bool json = false;
    command_parse(&argp, argc, argv, 0, &json);
    json_t *tree =
        json_pack("{s:o, s:o, s:o, s:o}", "allocators", list_allocators(), "layers", list_layers(),
                  "workloads", list_workloads(), "figures", list_figures());
    if (json)
        json_dumpf(tree, stdout, JSON_INDENT(2));
    else
        list_print(tree);
    if (json)
        putchar('\n');
    json_decref(tree);
    return STATUS_DONE;
}
