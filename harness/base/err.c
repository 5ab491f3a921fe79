/* Errors as values. */
#include "harness/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int err_set(struct err *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        err->code = code;
    }
    return -code;
}

noreturn void err_no_memory(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench: out of memory for ", stderr);
    vfprintf(stderr, format, args);
    fputs(
        "; close other programs, or raise the limit that is set (ulimit -v, or the container's)\n",
        stderr);
    va_end(args);
    exit(1);
}

noreturn void err_bug(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "heapbench: bug at %s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}
