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
    const char *rest;
    for (; *more; more = rest) {
        size_t clause = clause_first(more, &rest);
        if (clause > 0 && !memmem(text, strlen(text), more, clause))
            clause_add(text, room, "%.*s", (int)clause, more);
    }
}

size_t clause_first(const char *text, const char **rest)
{
    const char *end = strstr(text, clause_between);
    *rest = end ? end + sizeof clause_between - 1 : text + strlen(text);
    return end ? (size_t)(end - text) : strlen(text);
}

bool clause_has(const char *text, const char *clause, size_t length)
{
    const char *rest;
    for (; *text; text = rest)
        if (clause_first(text, &rest) == length && memcmp(text, clause, length) == 0)
            return true;
    return false;
}
