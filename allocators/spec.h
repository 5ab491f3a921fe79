/* Allocator specs: name[+layer…][:option=value,…], an option in capitals being an environment
 * variable. Parsed without allocating, so that the worker can do it too.
 *
 *   buddy:min=32   best-fit+checked   system:MALLOC_ARENA_MAX=1   so:/usr/lib/libfoo.so
 *
 * In a list, a part belongs to the spec before it if it has an '=' with no ':' before it, or is one
 * more setting of a variable (jemalloc:MALLOC_CONF=narenas:1,dirty_decay_ms:0), else it begins a new
 * spec; any other comma inside a value is written '\,'. */
#ifndef ALLOCATORS_SPEC_H
#define ALLOCATORS_SPEC_H

#include <stddef.h>

#include "allocators/allocator.h"
#include "allocators/layer.h"
#include "allocators/region.h"

enum { SPEC_TEXT = 512, SPEC_LAYERS = 4, SPEC_VARIABLES = 16 };

struct spec {
    char text[SPEC_TEXT];            /* as the user wrote it: the row's name everywhere */
    const struct allocator *backend; /* the table; `system` for everything preloaded */
    union option_value values[OPTIONS_MAX];
    const struct layer *layers[SPEC_LAYERS]; /* innermost first */
    union option_value layer_values[SPEC_LAYERS][OPTIONS_MAX];
    size_t layer_count;
    const char *library;             /* to preload: a soname, or the path after "so:"; NULL: none */
    const char *package;             /* that would install it, or NULL */
    char *variables[SPEC_VARIABLES]; /* "NAME=value" for the worker's environment */
    size_t variable_count;
    char storage[2 * SPEC_TEXT]; /* what the pointers above point into */
};

/* Fills *spec, whose pointers point into itself (so it is not copied by value). The sentence of a
 * failure names the part that is wrong and the nearest known name. */
int spec_parse(struct spec *spec, const char *text, struct err *err);

/* Cuts the next spec of a comma-separated list into `out` (SPEC_TEXT bytes) and returns what is
 * left of the list; NULL when nothing was left to cut. */
const char *spec_next(const char *list, char *out);

/* The library's path as the loader would find it, or NULL with the sentence that names the package.
 */
const char *spec_library_path(const struct spec *spec, char *path, size_t length, struct err *err);

/* Creates the heap: backend and layers over `region`, which is initialised here where the scope
 * wants one, zeroed where not, and released by the caller after heap_destroy either way. `name` is
 * that of a process-shared heap, else NULL. */
int spec_create(const struct spec *spec, struct region *region, const char *name, struct heap **out,
                struct err *err);

/* The same over a region that the caller has initialised and may have limited (NULL for
 * SCOPE_PROCESS); on failure it is no longer empty: release it. */
int spec_create_in(const struct spec *spec, struct region *region, const char *name,
                   struct heap **out, struct err *err);

#endif
