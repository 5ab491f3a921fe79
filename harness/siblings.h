/* The libraries to be preloaded that stand beside bench: found by where bench itself is. */
#ifndef HARNESS_SIBLINGS_H
#define HARNESS_SIBLINGS_H

#include <stddef.h>

#include "harness/base/err.h"

/* The absolute path of `name` in bench's own folder; -ENOENT and a sentence when it is not there,
 * or cannot be preloaded from there. */
int sibling_path(const char *name, char *path, size_t length, struct err *err);

#endif
