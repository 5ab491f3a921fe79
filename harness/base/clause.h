/* Texts that grow by clauses: "one; another". */
#ifndef HARNESS_BASE_CLAUSE_H
#define HARNESS_BASE_CLAUSE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Adds a clause behind those that stand in text[room]; one that does not fit is cut. */
void clause_add(char *text, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void clause_add_list(char *text, size_t room, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Adds those clauses of `more`, itself such a text, that do not stand in it yet. */
void clause_merge(char *text, size_t room, const char *more);

/* The length of the clause at the beginning of `text`; *rest is the text behind it. */
size_t clause_first(const char *text, const char **rest);

/* Whether this is one of the text's clauses. */
bool clause_has(const char *text, const char *clause, size_t length);

#endif
