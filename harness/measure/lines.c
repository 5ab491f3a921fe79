/* The lines of a small file of the kernel. */
#include "harness/measure/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Hands out the whole lines of `text` and returns the bytes they took, or SIZE_MAX when stopped. */
static size_t lines_visit(const char *text, size_t length, line_visitor *visit, void *arg)
{
    size_t done = 0;
    for (const char *newline; (newline = memchr(text + done, '\n', length - done));) {
        size_t line = (size_t)(newline - text) - done;
        if (visit(arg, text + done, line))
            return SIZE_MAX;
        done += line + 1;
    }
    return done;
}

static int lines_read_from(int fd, line_visitor *visit, void *arg)
{
    char text[16384];
    size_t held = 0;
    for (;;) {
        ssize_t got = read(fd, text + held, sizeof text - held);
        if (got <= 0)
            return got < 0 ? -errno : held == sizeof text ? -E2BIG : 0;
        held += (size_t)got;
        size_t done = lines_visit(text, held, visit, arg);
        if (done == SIZE_MAX)
            return 1;
        held -= done;
        memmove(text, text + done, held);
    }
}

int lines_read(const char *path, line_visitor *visit, void *arg)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = lines_read_from(fd, visit, arg);
    close(fd);
    return status;
}
