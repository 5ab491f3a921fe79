/* What list.h lists, as three tables. */
#include "allocators/registry.h"

#include <string.h>

static const struct allocator *const registry_backend_rows[] = {
#define BACKEND(symbol, file) &allocator_##symbol,
#include "allocators/list.h"
};

static const struct external registry_external_rows[] = {
#define EXTERNAL(name, library, package, summary) {name, library, package, summary},
#include "allocators/list.h"
};

static const struct layer *const registry_layer_rows[] = {
#define LAYER(symbol, file) &layer_##symbol,
#include "allocators/list.h"
};

size_t registry_backends(void)
{
    return sizeof registry_backend_rows / sizeof *registry_backend_rows;
}

const struct allocator *registry_backend(size_t place)
{
    return registry_backend_rows[place];
}

size_t registry_externals(void)
{
    return sizeof registry_external_rows / sizeof *registry_external_rows;
}

const struct external *registry_external(size_t place)
{
    return &registry_external_rows[place];
}

size_t registry_layers(void)
{
    return sizeof registry_layer_rows / sizeof *registry_layer_rows;
}

const struct layer *registry_layer(size_t place)
{
    return registry_layer_rows[place];
}

const struct allocator *registry_find_backend(const char *name)
{
    for (size_t i = 0; i < registry_backends(); i++)
        if (strcmp(registry_backend(i)->name, name) == 0)
            return registry_backend(i);
    return NULL;
}

const struct external *registry_find_external(const char *name)
{
    for (size_t i = 0; i < registry_externals(); i++)
        if (strcmp(registry_external(i)->name, name) == 0)
            return registry_external(i);
    return NULL;
}

const struct layer *registry_find_layer(const char *name)
{
    for (size_t i = 0; i < registry_layers(); i++)
        if (strcmp(registry_layer(i)->name, name) == 0)
            return registry_layer(i);
    return NULL;
}
