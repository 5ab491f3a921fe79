/* An allocation function's call as text: name, arguments, result. Several tools print it so. */
#ifndef WORKLOADS_CALL_H
#define WORKLOADS_CALL_H

#include "workloads/import/importer.h"

enum { CALL_NUMBERS = 6 };

enum call_form {
    CALL_MALLOC,       /* (size) */
    CALL_CALLOC,       /* (count, size) */
    CALL_REALLOC,      /* (before, size) */
    CALL_REALLOCARRAY, /* (before, count, size) */
    CALL_ALIGNED,      /* (alignment, size) */
    CALL_SIZE_ALIGNED, /* (size, alignment): aligned new */
    CALL_PAGE,         /* (size), aligned to a page */
    CALL_FREE,         /* (before) */
};

struct call {
    enum call_form form;
    bool wraps; /* an operator, which may show the call that it makes itself */
    unsigned count;
    uint64_t numbers[CALL_NUMBERS]; /* arguments that are numbers, in order */
};

/* Without arguments. Numbers are left as they are: clearing them took a twelfth of an import. */
static inline void call_begin(struct call *call, enum call_form form, bool wraps)
{
    call->form = form;
    call->wraps = wraps;
    call->count = 0;
}

/* The form of a function by its name, C and mangled C++; false: none that allocates or frees. */
bool call_form(const char *name, size_t length, enum call_form *form);

/* A number that does not begin by a digit. */
bool call_odd_number(struct scan *scan, uint64_t *value);

/* One number, or those up to the closing bracket or the line's end: decimal, 0x…, #…, nil, NULL,
 * and negative ones as unsigned ones; words are passed. */
static inline bool call_number(struct scan *scan, uint64_t *value)
{
    bool is_digit = !scan_done(scan) && (unsigned)(*scan->at - '0') < 10;
    return is_digit ? scan_number(scan, value) : call_odd_number(scan, value);
}
bool call_numbers(struct scan *scan, struct call *call);

/* The operation; false where arguments are missing or impossible. `address` is the result. */
bool call_operation(const struct call *call, uint64_t address, struct repair_operation *operation);

#endif
