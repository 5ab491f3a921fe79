/* What the classic interfaces share: the mark of a function that leaves its archive member (all
 * others are hidden in it), and the line that a void function writes about a bad call. */
#ifndef ALLOCATORS_CLASSIC_EXPORT_H
#define ALLOCATORS_CLASSIC_EXPORT_H

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* One line to stderr, without stdio's buffers: the heap may be in any state. */
__attribute__((format(printf, 1, 2))) static inline void classic_complain(const char *format, ...)
{
    char line[200];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(line, sizeof line - 1, format, list);
    va_end(list);
    if (length < 0)
        return;
    if ((size_t)length > sizeof line - 2)
        length = sizeof line - 2;
    line[length] = '\n';
    if (write(STDERR_FILENO, line, (size_t)length + 1) < 0)
        return;
}

#endif
