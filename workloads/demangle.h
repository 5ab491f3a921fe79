/* C++ names as a person writes them, by the C++ library of this machine where there is one: nothing
 * is linked for it. */
#ifndef WORKLOADS_DEMANGLE_H
#define WORKLOADS_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

/* A zeroed struct is one that has not looked for the library yet. */
struct demangle {
    char *(*readable)(const char *name, char *room, size_t *length, int *status);
    void *library;
    bool looked;
};

/* The name in words, owned by the caller (free), or NULL where it is no C++ name or there is no
 * C++ library. */
char *demangle(struct demangle *demangle, const char *name);

void demangle_release(struct demangle *demangle);

#endif
