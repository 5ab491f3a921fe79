/* The malloc that would serve if the preload did not: what the `system` backend stands for when
 * layers are laid over it in a real program. */
#ifndef ALLOCATORS_PRELOAD_NEXT_H
#define ALLOCATORS_PRELOAD_NEXT_H

#include "harness/base/err.h"

/* Finds it behind this library; it must be owned by the object at path `owner` (NULL: any). */
int next_find(const char *owner, struct err *err);

#endif
