/* The libraries that stand beside bench. */
#include "harness/siblings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "allocators/library.h"

int sibling_path(const char *name, char *path, size_t length, struct err *err)
{
    char self[PATH_MAX];
    ssize_t got = readlink("/proc/self/exe", self, sizeof self - 1);
    if (got < 0)
        return err_set(err, errno, "/proc/self/exe: %s", strerror(errno));
    self[got] = '\0';
    *strrchr(self, '/') = '\0';
    if (snprintf(path, length, "%s/%s", self, name) >= (int)length)
        return err_set(err, ENAMETOOLONG, "the path of %s is too long", name);
    if (access(path, R_OK) != 0)
        return err_set(err, ENOENT, "%s is missing; build it again with ./quickstart build", path);
    const char *flaw = library_flaw(path);
    return flaw ? err_set(err, ENOENT, "%s cannot be preloaded: %s", path, flaw) : 0;
}
