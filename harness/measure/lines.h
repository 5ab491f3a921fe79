/* The lines of a small file of the kernel, read with a buffer on the stack: nothing allocates. */
#ifndef HARNESS_MEASURE_LINES_H
#define HARNESS_MEASURE_LINES_H

#include <stddef.h>

/* `line` has `length` bytes, no newline and no terminator. Non-zero stops. */
typedef int line_visitor(void *arg, const char *line, size_t length);

/* 0 all seen, 1 stopped, -errno. A line beyond 16 KiB ends it with -E2BIG. */
int lines_read(const char *path, line_visitor *visit, void *arg);

#endif
