/* Walks the calling thread's stack by cached rules: one look-up and two loads a frame. */
#ifndef WORKLOADS_RECORD_UNWIND_H
#define WORKLOADS_RECORD_UNWIND_H

#include <stddef.h>
#include <stdint.h>

/* Called once for each object (program or library) that a walk comes across for the first time. */
typedef void unwind_module(uintptr_t start, uintptr_t end, uintptr_t bias, const char *path);

/* Return addresses of the callers of the function whose frame pointer is `frame`, the innermost
 * first. Returns how many, at most `most`. Does not allocate; safe in signal handlers. */
size_t unwind(const void *frame, uintptr_t *addresses, size_t most, unwind_module *found);

/* Code has been unmapped: what is cached may be wrong. */
void unwind_forget(void);

#endif
