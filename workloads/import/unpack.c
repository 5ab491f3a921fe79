/* libarchive's functions by their names. */
#include "workloads/import/unpack.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* As the header's declarations have been since libarchive 3.0. */
#define UNPACK_LIBRARY "libarchive.so.13"

/* dlsym returns an object pointer; POSIX, not ISO C, says that a function pointer fits into it. */
static bool unpack_look_up(void *library, void *slot, const char *name)
{
    void *found = dlsym(library, name);
    memcpy(slot, &found, sizeof found);
    return found;
}

int unpack_load(struct unpack *unpack, struct err *err)
{
    void *library = dlopen(UNPACK_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    bool found = library;
#define UNPACK_LOOK_UP(result, name, arguments)                                                    \
    found = found && unpack_look_up(library, &unpack->name, "archive_" #name);
    UNPACK_FUNCTIONS(UNPACK_LOOK_UP)
    if (found)
        return 0;
    const char *why = dlerror();
    return err_set(err, ELIBACC, "cannot read recordings without %s: %s; install it (libarchive13)",
                   UNPACK_LIBRARY, why ? why : "not found");
}
