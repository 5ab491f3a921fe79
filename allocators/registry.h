/* What list.h lists, in its order. */
#ifndef ALLOCATORS_REGISTRY_H
#define ALLOCATORS_REGISTRY_H

#include <stddef.h>

#include "allocators/allocator.h"
#include "allocators/layer.h"

struct external {
    const char *name;
    const char *library; /* soname */
    const char *package;
    const char *summary;
};

size_t registry_backends(void);
const struct allocator *registry_backend(size_t place);
size_t registry_externals(void);
const struct external *registry_external(size_t place);
size_t registry_layers(void);
const struct layer *registry_layer(size_t place);

/* NULL when there is none of that name. */
const struct allocator *registry_find_backend(const char *name);
const struct external *registry_find_external(const char *name);
const struct layer *registry_find_layer(const char *name);

#endif
