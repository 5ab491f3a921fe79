/* Files of shared memory that get their name when they are whole. */
#include "allocators/shm/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = S_IRUSR | S_IWUSR };
static const char file_folder[] = "/dev/shm", file_own[] = "/proc/self/fd";

int shm_file_make(const char *name, bool *named)
{
    int before = errno, file = shm_open(name, O_RDONLY | O_NONBLOCK, 0);
    *named = false;
    if (file >= 0) {
        close(file);
        return -EEXIST;
    }
    if (errno == EINVAL || errno == ENAMETOOLONG)
        return -errno;
    if (access(file_own, F_OK) == 0)
        file = open(file_folder, O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
    *named = file < 0;
    if (*named)
        file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, FILE_MODE);
    if (file < 0)
        return -errno;
    errno = before;
    return file;
}

int shm_file_name(int file, const char *name)
{
    char own[sizeof file_own + 16], path[sizeof file_folder + NAME_MAX + 1];
    while (*name == '/')
        name++;
    snprintf(own, sizeof own, "%s/%d", file_own, file);
    snprintf(path, sizeof path, "%s/%s", file_folder, name);
    return linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}
