/* Texts that grow by clauses. */
#include "harness/base/clause.h"

#include <stdio.h>
#include <string.h>

static const char clause_between[] = "; ";

void clause_add_list(char *text, size_t room, const char *format, va_list arguments)
{
    size_t used = strlen(text);
    if (used > 0 && used + sizeof clause_between <= room) {
        memcpy(text + used, clause_between, sizeof clause_between);
        used += sizeof clause_between - 1;
    }
    vsnprintf(text + used, room - used, format, arguments);
}

void clause_add(char *text, size_t room, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    clause_add_list(text, room, format, arguments);
    va_end(arguments);
}

void clause_merge(char *text, size_t room, const char *more)
{
    size_t length;
    for (; *more; more += length) {
        const char *end = strstr(more, clause_between);
        size_t clause = end ? (size_t)(end - more) : strlen(more);
        length = end ? clause + sizeof clause_between - 1 : clause;
        if (clause > 0 && !memmem(text, strlen(text), more, clause))
            clause_add(text, room, "%.*s", (int)clause, more);
    }
}
