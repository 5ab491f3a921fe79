/* Standard input as a trace that cells can open again and again. */
#include "harness/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int spool_make_one(const char *folder, struct err *err)
{
    if (mkdir(folder, 0777) == 0 || errno == EEXIST)
        return 0;
    return err_set(err, errno, "the folder %s cannot be made: %s; choose another with -o", folder,
                   strerror(errno));
}

int spool_make_folder(const char *folder, struct err *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/traces", folder) >= (int)sizeof path)
        return err_set(err, ENAMETOOLONG, "the folder's name is too long: %.80s...", folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = spool_make_one(path, err);
        *slash = '/';
        if (failed)
            return failed;
    }
    return spool_make_one(path, err);
}

static int spool_copy(int to, const char *path, struct err *err)
{
    char buffer[65536];
    ssize_t got;
    while ((got = read(STDIN_FILENO, buffer, sizeof buffer)) > 0)
        for (ssize_t at = 0, put; at < got; at += put)
            if ((put = write(to, buffer + at, (size_t)(got - at))) < 0)
                return err_set(err, errno,
                               "%s: %s; free some space or choose another folder with -o", path,
                               strerror(errno));
    return got < 0 ? err_set(err, errno, "standard input: %s", strerror(errno)) : 0;
}

int spool_standard_input(const char *folder, char *path, size_t length, struct err *err)
{
    int failed = spool_make_folder(folder, err);
    if (failed)
        return failed;
    if (snprintf(path, length, "%s/traces/stdin.trace", folder) >= (int)length)
        return err_set(err, ENAMETOOLONG, "the folder's name is too long: %.80s...", folder);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return err_set(err, errno, "%s: %s", path, strerror(errno));
    failed = spool_copy(file, path, err);
    close(file);
    return failed;
}
