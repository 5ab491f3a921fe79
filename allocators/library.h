/* Where the dynamic loader would find a library, told without loading it. (Allocators cannot be
 * loaded late: jemalloc and mimalloc need static thread-local storage.) */
#ifndef ALLOCATORS_LIBRARY_H
#define ALLOCATORS_LIBRARY_H

#include <stddef.h>

/* NULL, or the sentence part that says why `path` is no shared object that can be preloaded here.
 */
const char *library_flaw(const char *path);

/* Looks for a soname as the loader does: LD_LIBRARY_PATH, /etc/ld.so.cache, the standard folders.
 * Returns `path`, filled, or NULL. Allocates nothing. */
const char *library_find(const char *soname, char *path, size_t length);

#endif
