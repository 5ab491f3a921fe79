/* A library that is opened with RTLD_DEEPBIND (as PHP opens its extensions) finds the C library's
 * malloc and free before those that are preloaded: each side would free the other's blocks. So the
 * flag is left out. */
#include <dlfcn.h>
#include <string.h>

/* The call has to end in a jump, as with optimisation it does: in which directories the C library
 * searches depends on who called. */
#if defined __clang__
#define JUMP __attribute__((musttail))
#define JUMPS
#else
#define JUMP
#define JUMPS __attribute__((optimize("O2"), no_sanitize("address", "thread", "undefined")))
#endif

JUMPS __attribute__((visibility("default"))) void *dlopen(const char *file, int mode)
{
    void *(*next)(const char *file, int mode);
    void *found = dlsym(RTLD_NEXT, "dlopen");
    memcpy(&next, &found, sizeof next);
    JUMP return next(file, mode & ~RTLD_DEEPBIND);
}
