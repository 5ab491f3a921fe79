/* Which trace of another run is this one. */
#include "results/counterpart.h"

#include <stdlib.h>
#include <string.h>

#include "results/asked.h"

static const char *counterpart_checksum(const struct store *store, const char *trace)
{
    return json_string_value(json_object_get(asked_trace(store, trace), "checksum"));
}

/* Older runs tell the threads once for all traces. */
static json_int_t counterpart_threads(const struct store *store, const char *trace)
{
    const json_t *own = json_object_get(asked_trace(store, trace), "threads");
    return json_integer_value(own ? own : json_object_get(store_run(store), "threads"));
}

bool counterpart_differs(const struct store *store, const char *trace, const struct store *other,
                         const char *other_trace)
{
    const char *mine = counterpart_checksum(store, trace);
    const char *its = counterpart_checksum(other, other_trace);
    return mine && its && strcmp(mine, its) != 0;
}

static bool counterpart_is_same(const struct store *store, const char *trace,
                                const struct store *other, const char *other_trace)
{
    return counterpart_checksum(store, trace) && counterpart_checksum(other, other_trace) &&
           !counterpart_differs(store, trace, other, other_trace) &&
           counterpart_threads(store, trace) == counterpart_threads(other, other_trace);
}

static bool counterpart_is_named(const struct store *store, const char *trace)
{
    const char **names = asked_traces(store), **name = names;
    while (*name && strcmp(*name, trace) != 0)
        name++;
    bool named = *name;
    free(names);
    return named;
}

const char *counterpart_find(const struct store *store, const char *trace,
                             const struct store *other)
{
    const char **others = asked_traces(other), *found = NULL;
    for (const char **name = others; *name; name++)
        if (strcmp(*name, trace) == 0)
            found = *name;
    for (const char **name = others; *name && !found; name++)
        if (counterpart_is_same(store, trace, other, *name) && !counterpart_is_named(store, *name))
            found = *name;
    free(others);
    return found;
}
