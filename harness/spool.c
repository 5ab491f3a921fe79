/* Standard input or a pipe as a trace that cells can open again and again. */
#include "harness/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "results/store.h"

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

static bool spool_is_standard_input(const char *name)
{
    return strcmp(name, "-") == 0;
}

bool spool_is_stream(const char *name)
{
    struct stat kind;
    return spool_is_standard_input(name) || (stat(name, &kind) == 0 && S_ISFIFO(kind.st_mode));
}

static int spool_copy(int from, const char *name, int to, const char *path, struct err *err)
{
    char buffer[65536];
    ssize_t got;
    while ((got = read(from, buffer, sizeof buffer)) > 0)
        for (ssize_t at = 0, put; at < got; at += put)
            if ((put = write(to, buffer + at, (size_t)(got - at))) < 0)
                return err_set(err, errno,
                               "%s: %s; free some space or choose another folder with -o", path,
                               strerror(errno));
    return got < 0 ? err_set(err, errno, "%s: %s", name, strerror(errno)) : 0;
}

static int spool_write(int from, const char *name, const char *path, struct err *err)
{
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (to < 0)
        return err_set(err, errno, "%s: %s", path, strerror(errno));
    int failed = spool_copy(from, name, to, path, err);
    close(to);
    return failed;
}

int spool_stream(const char *name, const char *folder, char *path, size_t length, struct err *err)
{
    const char *slash = strrchr(name, '/'), *own = slash ? slash + 1 : name;
    bool standard = spool_is_standard_input(name);
    char slug[STORE_NAME];
    int failed = spool_make_folder(folder, err);
    if (failed)
        return failed;
    if (snprintf(path, length, "%s/traces/%s.trace", folder,
                 store_slug(slug, standard ? "stdin" : own)) >= (int)length)
        return err_set(err, ENAMETOOLONG, "the folder's name is too long: %.80s...", folder);
    int from = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return err_set(err, errno, "cannot open %s: %s", name, strerror(errno));
    failed = spool_write(from, standard ? "standard input" : name, path, err);
    if (!standard)
        close(from);
    return failed;
}
