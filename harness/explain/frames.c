/* Frames and stacks as text. */
#include "harness/explain/frames.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Where `mark` last begins in the line of `length`, else the length. */
static size_t frame_last(const char *frame, size_t length, const char *mark)
{
    size_t size = strlen(mark);
    for (size_t at = length >= size ? length - size + 1 : 0; at-- > 0;)
        if (memcmp(frame + at, mark, size) == 0)
            return at;
    return length;
}

size_t frame_length(const char *frame)
{
    return strcspn(frame, "\n");
}

const char *frame_source(const char *frame)
{
    size_t length = frame_length(frame), at = frame_last(frame, length, " (");
    bool source = at < length && frame[length - 1] == ')' && memchr(frame + at, ':', length - at);
    return frame + (source ? at : length);
}

size_t frame_function(const char *frame)
{
    size_t length = (size_t)(frame_source(frame) - frame);
    size_t file = frame_last(frame, length, " [");
    return frame_last(frame, file, "+0x");
}

/* malloc's own callers inside libraries (xmalloc, g_malloc, PyObject_Realloc, operator new, the
 * containers of C++) say nothing of who wanted the memory. What stands in <> or () is no name. */
static bool frame_is_wrapper(const char *frame)
{
    static const char *const words[] = {"alloc", "strdup",       "_Znw",       "_Zna",
                                        "std::", "operator new", "__gnu_cxx::"};
    char function[256];
    size_t length = frame_function(frame), used = 0;
    for (size_t i = 0, depth = 0; i < length && used + 1 < sizeof function; i++) {
        depth += frame[i] == '<' || frame[i] == '(';
        if (depth == 0)
            function[used++] = frame[i];
        depth -= depth && (frame[i] == '>' || frame[i] == ')');
    }
    function[used] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(function, words[i]))
            return true;
    return false;
}

const char *stack_next(const char *frame)
{
    const char *end = strchr(frame, '\n');
    return end && end[1] ? end + 1 : NULL;
}

const char *stack_caller(const char *stack)
{
    const char *frame = stack;
    while (frame && frame_is_wrapper(frame))
        frame = stack_next(frame);
    return frame ? frame : stack;
}

char *stack_label(const char *stack)
{
    const char *frame = stack_caller(stack), *source = frame_source(frame);
    size_t length = frame_length(frame), function = frame_function(frame);
    char *label;
    bool known = source < frame + length;
    if (asprintf(&label, "%.*s%.*s", (int)(known ? function : length), frame,
                 (int)(frame + length - source), known ? source : "") < 0)
        return NULL;
    return label;
}
