/* Files that are there whole or not at all. */
#include "workloads/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *output_name(const struct output *output)
{
    return output->part ? output->part : output->path;
}

static void output_forget(struct output *output)
{
    unfinished_release(output->unfinished);
    free(output->path);
    free(output->part);
    *output = (struct output){.fd = -1};
}

/* A pipe's reader may come a little later; that it never comes is no reason to wait for ever. */
static int output_open_pipe(const char *path)
{
    enum { TRIES = 100, PAUSE_NS = 10000000 };
    for (int try = 0;; try++) {
        int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0)
            fcntl(fd, F_SETFL, O_WRONLY);
        if (fd >= 0 || errno != ENXIO || try == TRIES)
            return fd;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
}

/* A new file, locked before it has its name: else who looks between the two takes it for one that
 * was left. Negative where the file system makes none without a name. */
static int output_open_nameless(const char *part)
{
    const char *slash = strrchr(part, '/');
    char link[64], *folder = slash ? strndup(part, (size_t)(slash - part) + 1) : strdup(".");
    int fd = folder ? open(folder, O_WRONLY | O_CLOEXEC | O_TMPFILE, 0666) : -1;
    free(folder);
    if (fd < 0)
        return -1;
    flock(fd, LOCK_EX | LOCK_NB);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, link, AT_FDCWD, part, AT_SYMLINK_FOLLOW) == 0)
        return fd;
    close(fd);
    return -1;
}

/* The lock goes with its holder, however that ends. */
static int output_open_part(const char *part)
{
    int fd = output_open_nameless(part);
    if (fd >= 0)
        return fd;
    fd = open(part, O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0666);
    if (fd >= 0)
        flock(fd, LOCK_EX | LOCK_NB);
    return fd;
}

static int output_open_other(const char *path, bool pipe)
{
    return pipe ? output_open_pipe(path) : open(path, O_WRONLY | O_CLOEXEC | O_CREAT, 0666);
}

/* A file system without locks does not tell: then it may be. */
static bool output_is_written(const char *part)
{
    int fd = open(part, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool written = fd < 0 || flock(fd, LOCK_SH | LOCK_NB) != 0;
    if (fd >= 0)
        close(fd);
    return written;
}

static int output_part_is_there(const char *part, struct err *err)
{
    if (output_is_written(part))
        return err_set(err, EEXIST, "%s is being written: wait, or name another file", part);
    return err_set(err, EEXIST,
                   "%s was left unfinished by a program that was killed, and is kept: it can be "
                   "read under that name (bench trace info); rename or remove it, or name another "
                   "file",
                   part);
}

static int output_not_opened(const struct output *output, const char *path, struct err *err)
{
    if (errno == ENXIO)
        return err_set(err, ENXIO, "nobody reads the pipe %s: start what reads it first", path);
    if (output->part && errno == EEXIST)
        return output_part_is_there(output->part, err);
    return err_set(err, errno, "cannot write %s: %s", output_name(output), strerror(errno));
}

/* A link that leads nowhere is, too. */
static bool output_is_there(const char *path)
{
    struct stat kind;
    return lstat(path, &kind) == 0 || errno != ENOENT;
}

/* A device or a pipe is written to directly: renaming would replace it by a file. */
static int output_open_named(struct output *output, const char *path, struct err *err)
{
    struct stat kind;
    output->replaces = output_is_there(path);
    bool plain = stat(path, &kind) != 0 || S_ISREG(kind.st_mode);
    if (!plain && S_ISDIR(kind.st_mode))
        return err_set(err, EISDIR, "%s is a folder; name a file in it", path);
    if (plain && asprintf(&output->part, "%s.part", path) < 0)
        return err_set(err, ENOMEM, "no memory left to open %s", path);
    if (plain)
        output->unfinished = unfinished_hold(output->part);
    output->fd =
        plain ? output_open_part(output->part) : output_open_other(path, S_ISFIFO(kind.st_mode));
    if (output->fd < 0)
        return output_not_opened(output, path, err);
    unfinished_watch(output->unfinished);
    return 0;
}

bool output_is_taken(const char *path)
{
    char *part = NULL;
    bool taken =
        output_is_there(path) || asprintf(&part, "%s.part", path) < 0 || output_is_there(part);
    free(part);
    return taken;
}

int output_open(struct output *output, const char *path, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    *output = (struct output){.fd = -1, .path = strdup(standard ? "standard output" : path)};
    if (!output->path)
        return err_set(err, ENOMEM, "no memory left to open %s", path);
    if (standard) {
        output->fd = STDOUT_FILENO;
        return 0;
    }
    int failed = output_open_named(output, path, err);
    if (failed)
        output_forget(output);
    return failed;
}

char *output_free_path(const char *stem)
{
    enum { NUMBERS = 10000 };
    for (unsigned i = 1; i < NUMBERS; i++) {
        char number[16] = "", *path = NULL;
        if (i > 1)
            snprintf(number, sizeof number, "-%u", i);
        if (asprintf(&path, "%s%s.trace", stem, number) < 0)
            return NULL;
        if (!output_is_taken(path))
            return path;
        free(path);
    }
    return NULL;
}

static const char *output_remedy(int why)
{
    if (why == ENOSPC || why == EDQUOT)
        return "; free some space or write to another folder";
    return why == EFBIG ? "; raise the limit of a file's size (ulimit -f)" : "";
}

static int output_failed(const struct output *output, struct err *err)
{
    int why = errno;
    return err_set(err, why, "cannot write %s past byte %llu: %s%s", output_name(output),
                   (unsigned long long)output->written, strerror(why), output_remedy(why));
}

int output_write(struct output *output, const void *data, size_t length, struct err *err)
{
    const char *at = data;
    while (length) {
        ssize_t wrote = write(output->fd, at, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return output_failed(output, err);
        at += wrote;
        length -= (size_t)wrote;
        output->written += (uint64_t)wrote;
    }
    return 0;
}

/* A file system that cannot rename to a free name alone renames as it can. */
static int output_rename(const struct output *output, struct err *err)
{
    unsigned flags = output->replaces ? 0 : RENAME_NOREPLACE;
    if (renameat2(AT_FDCWD, output->part, AT_FDCWD, output->path, flags) == 0 ||
        ((errno == EINVAL || errno == ENOSYS) && rename(output->part, output->path) == 0))
        return 0;
    if (errno == EEXIST)
        return err_set(err, EEXIST,
                       "%s was not there before and is not overwritten: it is all in %s",
                       output->path, output->part);
    return err_set(err, errno, "cannot rename %s to %s: %s", output->part, output->path,
                   strerror(errno));
}

int output_finish(struct output *output, struct err *err)
{
    int failed = 0;
    if (output->part && !output->in_haste && fsync(output->fd) != 0)
        failed = output_failed(output, err);
    if (output->fd != STDOUT_FILENO && close(output->fd) != 0 && !failed)
        failed = output_failed(output, err);
    output->fd = -1;
    if (!failed && output->part)
        failed = output_rename(output, err);
    if (failed && failed != -EEXIST && output->part)
        unlink(output->part);
    output_forget(output);
    return failed;
}

int output_sync(const char *path, struct err *err)
{
    int file = open(path, O_RDONLY | O_CLOEXEC), failed = 0;
    if (file < 0)
        return 0;
    if (fsync(file) != 0 && errno != EINVAL)
        failed = err_set(err, errno, "cannot write %s: %s", path, strerror(errno));
    close(file);
    return failed;
}

void output_abandon(struct output *output)
{
    if (output->fd >= 0 && output->fd != STDOUT_FILENO)
        close(output->fd);
    if (output->part)
        unlink(output->part);
    output_forget(output);
}
