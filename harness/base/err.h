/* An error is a value: a code for the caller and one complete sentence for the person.
 *
 * Whoever knows the facts writes the sentence (it names the thing and the remedy); whoever owns the
 * conversation prints it, once. Functions that can fail take `struct err *` and return 0 or -code.
 */
#ifndef HARNESS_BASE_ERR_H
#define HARNESS_BASE_ERR_H

#include <stdnoreturn.h>

struct err {
    int code; /* an errno value, 0 when nothing went wrong */
    char text[600];
};

/* Writes the sentence (truncated when too long) and returns -code. `err` may be NULL. */
int err_set(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Nothing can go on without memory for that: says so with the remedy, and ends with status 1. */
noreturn void err_no_memory(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Our own mistake, never the user's: prints where and what to stderr and aborts. */
#define BUG(...) err_bug(__FILE__, __LINE__, __VA_ARGS__)
noreturn void err_bug(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
