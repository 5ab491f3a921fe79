/* What a run was asked for, read from its run.json. */
#include "results/asked.h"

#include <stdlib.h>
#include <string.h>

static const json_t *asked_entry(const struct store *store, const char *list, const char *key,
                                 const char *name)
{
    const json_t *entries = json_object_get(store_run(store), list);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        const char *found = json_string_value(json_object_get(entry, key));
        if (found && strcmp(found, name) == 0)
            return entry;
    }
    return NULL;
}

static const json_t *asked_allocator(const struct store *store, const char *allocator)
{
    return asked_entry(store, "allocators", "spec", allocator);
}

const json_t *asked_trace(const struct store *store, const char *trace)
{
    return asked_entry(store, "traces", "name", trace);
}

static void asked_add(const char **names, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(names[i], name) == 0)
            return;
    names[(*count)++] = name;
}

static const char **asked_names(const struct store *store, const char *list, const char *key,
                                size_t offset)
{
    const json_t *entries = json_object_get(store_run(store), list);
    size_t asked = json_array_size(entries), cells = store_cell_count(store), count = 0;
    const char **names = calloc(asked + cells + 1, sizeof *names);
    if (!names)
        err_no_memory("the names of a run");
    for (size_t i = 0; i < asked; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(entries, i), key));
        if (name)
            asked_add(names, &count, name);
    }
    for (size_t i = 0; i < cells; i++)
        asked_add(names, &count, (const char *)store_cell(store, i) + offset);
    return names;
}

const char **asked_allocators(const struct store *store)
{
    return asked_names(store, "allocators", "spec", offsetof(struct cell_result, allocator));
}

const char **asked_traces(const struct store *store)
{
    return asked_names(store, "traces", "name", offsetof(struct cell_result, trace));
}

bool asked_is_real(const struct store *store, const char *allocator)
{
    return !json_is_false(json_object_get(asked_allocator(store, allocator), "real"));
}

bool asked_frees(const struct store *store, const char *allocator)
{
    return !json_is_false(json_object_get(asked_allocator(store, allocator), "frees"));
}

bool asked_refuses(const struct store *store, const char *allocator)
{
    return json_is_true(json_object_get(asked_allocator(store, allocator), "refuses"));
}

uint64_t asked_memory_limit(const struct store *store)
{
    json_int_t limit = json_integer_value(json_object_get(store_run(store), "memory_limit_bytes"));
    return limit > 0 ? (uint64_t)limit : 0;
}

uint64_t asked_repetitions(const struct store *store, const char *pass)
{
    const json_t *passes = json_object_get(store_run(store), "passes");
    bool timed = strcmp(pass, "throughput") == 0 || strcmp(pass, "latency") == 0;
    json_int_t repeat = json_integer_value(json_object_get(store_run(store), "repeat"));
    for (size_t i = 0; i < json_array_size(passes); i++) {
        const char *name = json_string_value(json_array_get(passes, i));
        if (name && strcmp(name, pass) == 0)
            return timed && repeat > 0 ? (uint64_t)repeat : 1;
    }
    return 0;
}

uint64_t asked_seed(const struct store *store)
{
    return (uint64_t)json_integer_value(json_object_get(store_run(store), "seed"));
}
