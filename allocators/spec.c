/* Allocator specs: parsed in place, in the spec's own storage. */
#include "allocators/spec.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "allocators/library.h"
#include "allocators/registry.h"
#include "harness/base/nearest.h"

/* The first `stop` in text that no backslash stands before, or the end. */
static char *spec_find(char *text, char stop)
{
    while (*text && *text != stop)
        text += *text == '\\' && text[1] == stop ? 2 : 1;
    return text;
}

/* Ends `text` at the stop and returns what follows it, or NULL when there was no stop. */
static char *spec_cut(char *text, char stop)
{
    char *end = spec_find(text, stop);
    if (!*end)
        return NULL;
    *end = '\0';
    return end + 1;
}

/* '\,' becomes ',' in place; no other backslash means anything. */
static void spec_unescape(char *text)
{
    char *to = text;
    for (; *text; text++) {
        if (text[0] == '\\' && text[1] == ',')
            text++;
        *to++ = *text;
    }
    *to = '\0';
}

/* Whether an option begins here: a name and an '='. */
static bool spec_is_option(const char *text)
{
    size_t name = 0;
    while (isalnum((unsigned char)text[name]) || text[name] == '-' || text[name] == '_')
        name++;
    return name > 0 && text[name] == '=';
}

static int spec_unknown(const char *name, struct err *err)
{
    struct nearest nearest = nearest_to(name);
    if (!*name)
        return err_set(err, EINVAL, "an allocator's name is missing (bench list shows all)");
    for (size_t i = 0; i < registry_backends(); i++)
        nearest_offer(&nearest, registry_backend(i)->name);
    for (size_t i = 0; i < registry_externals(); i++)
        nearest_offer(&nearest, registry_external(i)->name);
    return err_set(err, EINVAL, "there is no allocator '%.80s'%s (bench list shows all)", name,
                   nearest_hint(&nearest).text);
}

static int spec_set_backend(struct spec *spec, const char *name, struct err *err)
{
    const struct external *external = registry_find_external(name);
    spec->backend = external ? &allocator_system : registry_find_backend(name);
    if (!spec->backend)
        return spec_unknown(name, err);
    if (external) {
        spec->library = external->library;
        spec->package = external->package;
    }
    return options_default(spec->backend->options, spec->values, err);
}

static int spec_add_layer(struct spec *spec, const char *name, struct err *err)
{
    struct nearest nearest = nearest_to(name);
    const struct layer *layer = registry_find_layer(name);
    if (!layer) {
        for (size_t i = 0; i < registry_layers(); i++)
            nearest_offer(&nearest, registry_layer(i)->name);
        return err_set(err, EINVAL, "%s: there is no layer '%.80s'%s (bench list shows all)",
                       spec->text, name, nearest_hint(&nearest).text);
    }
    if (spec->layer_count == SPEC_LAYERS)
        return err_set(err, EINVAL, "%s: more than %d layers", spec->text, SPEC_LAYERS);
    size_t place = spec->layer_count++;
    spec->layers[place] = layer;
    return options_default(layer->options, spec->layer_values[place], err);
}

static int spec_add_variable(struct spec *spec, char *assignment, struct err *err)
{
    if (strncmp(assignment, "LD_PRELOAD=", 11) == 0)
        return err_set(err, EINVAL, "%s: a library to preload is written so:PATH", spec->text);
    if (spec->variable_count == SPEC_VARIABLES)
        return err_set(err, EINVAL, "%s: more than %d environment variables", spec->text,
                       SPEC_VARIABLES);
    spec->variables[spec->variable_count++] = assignment;
    return 0;
}

static bool spec_has_option(const struct option_row *rows, const char *name)
{
    for (size_t i = 0; i < options_count(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return true;
    return false;
}

static int spec_unknown_option(const struct spec *spec, const char *name, struct err *err)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < options_count(spec->backend->options); i++)
        nearest_offer(&nearest, spec->backend->options[i].name);
    for (size_t layer = 0; layer < spec->layer_count; layer++)
        for (size_t i = 0; i < options_count(spec->layers[layer]->options); i++)
            nearest_offer(&nearest, spec->layers[layer]->options[i].name);
    if (!nearest.best)
        return err_set(err, EINVAL,
                       "%s: it has no options, so not '%.80s' either (environment variables are "
                       "written in capitals)",
                       spec->text, name);
    return err_set(err, EINVAL, "%s: there is no option '%.80s'%s (bench list shows all)",
                   spec->text, name, nearest_hint(&nearest).text);
}

static int spec_set_option(struct spec *spec, char *assignment, struct err *err)
{
    if (!spec_is_option(assignment))
        return err_set(err, EINVAL, "%s: '%.80s' is not of the form option=value", spec->text,
                       assignment);
    spec_unescape(assignment);
    if (isupper((unsigned char)*assignment))
        return spec_add_variable(spec, assignment, err);
    char *value = strchr(assignment, '=');
    *value++ = '\0';
    if (spec_has_option(spec->backend->options, assignment))
        return options_assign(spec->backend->options, spec->values, spec->backend->name, assignment,
                              value, err);
    for (size_t i = 0; i < spec->layer_count; i++)
        if (spec_has_option(spec->layers[i]->options, assignment))
            return options_assign(spec->layers[i]->options, spec->layer_values[i],
                                  spec->layers[i]->name, assignment, value, err);
    return spec_unknown_option(spec, assignment, err);
}

/* Where the part that begins here ends: at a comma without a backslash before it, or the end. */
static const char *spec_part_end(const char *part)
{
    while (*part && *part != ',')
        part += part[0] == '\\' && part[1] == ',' ? 2 : 1;
    return part;
}

static bool spec_is_allocator(const char *name, size_t length)
{
    char known[SPEC_TEXT] = "";
    if (length < sizeof known)
        memcpy(known, name, length);
    return strcmp(known, "so") == 0 || registry_find_external(known) ||
           registry_find_backend(known);
}

/* Whether one more setting of the variable before it begins here, as MALLOC_CONF has them
 * (narenas:1,lg_tcache_max:12): a word and a ':' that are neither an option nor an allocator. */
static bool spec_is_setting(const char *part)
{
    size_t word = strspn(part, "abcdefghijklmnopqrstuvwxyz_0123456789");
    return word > 0 && part[word] == ':' &&
           !memchr(part, '=', (size_t)(spec_part_end(part) - part)) &&
           !spec_is_allocator(part, word);
}

static int spec_set_options(struct spec *spec, char *options, struct err *err)
{
    while (options) {
        char *rest = spec_cut(options, ',');
        while (rest && isupper((unsigned char)*options) && spec_is_setting(rest)) {
            rest[-1] = ',';
            rest = spec_cut(rest, ',');
        }
        int failed = spec_set_option(spec, options, err);
        if (failed)
            return failed;
        options = rest;
    }
    return 0;
}

/* A path may hold ':' and '+': it ends at a ':' that an option follows, and before the layers,
 * which are known names. Returns the options, or NULL. */
static char *spec_cut_path(char *path)
{
    for (char *at = path; *at; at++)
        if (*at == ':' && spec_is_option(at + 1)) {
            *at = '\0';
            return at + 1;
        }
    return NULL;
}

/* The first "+layer" after which nothing but known layers follows, or the end. */
static char *spec_find_layers(char *path)
{
    char *found = path + strlen(path);
    for (char *at = found; at > path; at--) {
        if (*at != '+')
            continue;
        char saved = *found;
        *found = '\0';
        bool known = registry_find_layer(at + 1) != NULL;
        *found = saved;
        if (!known)
            break;
        found = at;
    }
    return found;
}

static int spec_add_layers(struct spec *spec, char *layers, struct err *err)
{
    while (layers) {
        char *rest = spec_cut(layers, '+');
        int failed = spec_add_layer(spec, layers, err);
        if (failed)
            return failed;
        layers = rest;
    }
    return 0;
}

static int spec_parse_path(struct spec *spec, char *path, struct err *err)
{
    char *options = spec_cut_path(path);
    char *layers = spec_find_layers(path);
    if (*layers)
        *layers++ = '\0';
    spec_unescape(path);
    if (!*path)
        return err_set(err, EINVAL, "%s: a path follows so:, as in so:/usr/lib/libfoo.so",
                       spec->text);
    spec->library = path;
    spec->backend = &allocator_system;
    int failed = *layers ? spec_add_layers(spec, layers, err) : 0;
    return failed ? failed : spec_set_options(spec, options, err);
}

static int spec_parse_name(struct spec *spec, char *name, struct err *err)
{
    char *options = spec_cut(name, ':');
    char *layers = spec_cut(name, '+');
    int failed = spec_set_backend(spec, name, err);
    if (!failed)
        failed = spec_add_layers(spec, layers, err);
    return failed ? failed : spec_set_options(spec, options, err);
}

int spec_parse(struct spec *spec, const char *text, struct err *err)
{
    memset(spec, 0, sizeof *spec);
    size_t length = strnlen(text, SPEC_TEXT);
    /* spec_next cuts what is too long to SPEC_TEXT - 1, which is therefore too long, too. */
    if (length >= SPEC_TEXT - 1)
        return err_set(err, ENAMETOOLONG, "an allocator spec is longer than %d bytes: %.40s…",
                       SPEC_TEXT - 2, text);
    memcpy(spec->text, text, length);
    memcpy(spec->storage, text, length);
    if (strncmp(text, "so:", 3) == 0)
        return spec_parse_path(spec, spec->storage + 3, err);
    return spec_parse_name(spec, spec->storage, err);
}

static bool spec_part_continues(const char *part)
{
    const char *end = spec_part_end(part);
    const char *equals = memchr(part, '=', (size_t)(end - part));
    return equals && !memchr(part, ':', (size_t)(equals - part));
}

/* Whether the last option of a part is an environment variable. */
static bool spec_part_sets_variable(const char *part)
{
    const char *equals = memchr(part, '=', (size_t)(spec_part_end(part) - part));
    const char *name = equals;
    while (name && name > part && name[-1] != ':')
        name--;
    return name && isupper((unsigned char)*name);
}

const char *spec_next(const char *list, char *out)
{
    if (!*list)
        return NULL;
    const char *end = spec_part_end(list);
    bool variable = spec_part_sets_variable(list);
    while (*end) {
        const char *part = end + 1;
        if (spec_part_continues(part))
            variable = spec_part_sets_variable(part);
        else if (!variable || !spec_is_setting(part))
            break;
        end = spec_part_end(part);
    }
    size_t length = (size_t)(end - list);
    if (length >= SPEC_TEXT)
        length = SPEC_TEXT - 1;
    memcpy(out, list, length);
    out[length] = '\0';
    return *end ? end + 1 : end;
}

const char *spec_library_path(const struct spec *spec, char *path, size_t length, struct err *err)
{
    char real[PATH_MAX];
    if (!strchr(spec->library, '/')) {
        if (library_find(spec->library, path, length))
            return path;
        if (spec->package)
            err_set(err, ENOENT, "%s: %s is not installed; apt-get install %s brings it",
                    spec->text, spec->library, spec->package);
        else
            err_set(err, ENOENT,
                    "%s: the loader finds no %s; write its path, as in so:/usr/lib/libfoo.so",
                    spec->text, spec->library);
        return NULL;
    }
    const char *flaw = realpath(spec->library, real) ? library_flaw(real) : strerror(errno);
    if (!flaw && strlen(real) >= length)
        flaw = strerror(ENAMETOOLONG);
    if (flaw) {
        err_set(err, ENOENT, "%s: %s cannot be preloaded: %s", spec->text, spec->library, flaw);
        return NULL;
    }
    return strcpy(path, real);
}

static int spec_wrap(const struct spec *spec, struct heap **heap, struct err *err)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        int failed = spec->layers[i]->wrap(*heap, spec->layer_values[i], heap, err);
        if (failed)
            return failed;
    }
    return 0;
}

int spec_create_in(const struct spec *spec, struct region *region, const char *name,
                   struct heap **out, struct err *err)
{
    struct heap_config config = {.region = region, .values = spec->values, .name = name};
    struct heap *heap;
    int failed = spec->backend->create(&config, &heap, err);
    if (!failed)
        failed = spec_wrap(spec, &heap, err);
    if (!failed)
        *out = heap;
    return failed;
}

int spec_create(const struct spec *spec, struct region *region, const char *name, struct heap **out,
                struct err *err)
{
    *region = (struct region){0};
    if (spec->backend->scope == SCOPE_PROCESS)
        return spec_create_in(spec, NULL, name, out, err);
    int failed = region_init(region, region_default(), err);
    if (failed)
        return failed;
    failed = spec_create_in(spec, region, name, out, err);
    if (failed)
        region_release(region);
    return failed;
}
