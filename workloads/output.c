/* Files that are there whole or not at all. */
#include "workloads/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int output_open_file(const char *path, bool plain)
{
    return open(path, O_WRONLY | O_CLOEXEC | O_CREAT | (plain ? O_TRUNC : 0), 0666);
}

/* A device or a pipe is written to directly: renaming would replace it by a file. */
static int output_open_named(struct output *output, const char *path, struct err *err)
{
    struct stat kind;
    bool plain = stat(path, &kind) != 0 || S_ISREG(kind.st_mode);
    if (!plain && S_ISDIR(kind.st_mode))
        return err_set(err, EISDIR, "%s is a folder; name a file in it", path);
    if (plain && asprintf(&output->part, "%s.part", path) < 0)
        return err_set(err, ENOMEM, "no memory left to open %s", path);
    if (plain)
        output->unfinished = unfinished_watch(output->part);
    output->fd = !plain && S_ISFIFO(kind.st_mode) ? output_open_pipe(path)
                                                  : output_open_file(output_name(output), plain);
    if (output->fd < 0 && errno == ENXIO)
        return err_set(err, ENXIO, "nobody reads the pipe %s: start what reads it first", path);
    if (output->fd < 0)
        return err_set(err, errno, "cannot write %s: %s", output_name(output), strerror(errno));
    return 0;
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

static int output_failed(const struct output *output, struct err *err)
{
    int why = errno;
    return err_set(err, why, "cannot write %s past byte %llu: %s%s", output_name(output),
                   (unsigned long long)output->written, strerror(why),
                   why == ENOSPC || why == EDQUOT ? "; free some space or write to another folder"
                                                  : "");
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

int output_finish(struct output *output, struct err *err)
{
    int failed = 0;
    if (output->part && fsync(output->fd) != 0)
        failed = output_failed(output, err);
    if (output->fd != STDOUT_FILENO && close(output->fd) != 0 && !failed)
        failed = output_failed(output, err);
    output->fd = -1;
    if (!failed && output->part && rename(output->part, output->path) != 0)
        failed = err_set(err, errno, "cannot rename %s to %s: %s", output->part, output->path,
                         strerror(errno));
    if (failed && output->part)
        unlink(output->part);
    output_forget(output);
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
