/* The frames of a call stack as traces have them: "function+0x1f [file] (source.c:123)" without
 * what is not known, or whatever a foreign trace has; a stack is lines of them, the innermost
 * first. */
#ifndef HARNESS_EXPLAIN_FRAMES_H
#define HARNESS_EXPLAIN_FRAMES_H

#include <stddef.h>

/* Of the line that begins here. */
size_t frame_length(const char *frame);

/* " (source.c:123)", or its end. */
const char *frame_source(const char *frame);

/* Characters of the function's name. */
size_t frame_function(const char *frame);

/* The frame that called this one; NULL where that is not known. */
const char *stack_next(const char *frame);

/* The innermost frame whose function does not look like an allocator or a wrapper of one; the
 * innermost of all where each does. */
const char *stack_caller(const char *stack);

/* The name of a stack: its caller as "function (source.c:123)" where the source is known, else the
 * whole frame: a place in the code. Owned by the caller; NULL: no memory. */
char *stack_label(const char *stack);

#endif
