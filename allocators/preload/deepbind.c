/* A library that is opened with RTLD_DEEPBIND (as PHP opens its extensions) finds the C library's
 * malloc and free before those that are preloaded: each side would free the other's blocks. So the
 * flag is left out. */
#include <dlfcn.h>
#include <string.h>

#include "harness/base/jump.h"

/* In which directories the C library searches depends on who called. */
JUMPS __attribute__((visibility("default"))) void *dlopen(const char *file, int mode)
{
    void *(*next)(const char *file, int mode);
    void *found = dlsym(RTLD_NEXT, "dlopen");
    memcpy(&next, &found, sizeof next);
    JUMP return next(file, mode & ~RTLD_DEEPBIND);
}
