/* Numbered texts (phase labels, call sites), in mapped memory. */
#ifndef WORKLOADS_NAMES_H
#define WORKLOADS_NAMES_H

#include <stdint.h>

#include "workloads/array.h"

struct names {
    struct array text;   /* each ended by a zero byte */
    struct array starts; /* uint32_t: where each begins in the text */
    uint32_t count;
    uint32_t used; /* bytes of text */
};

/* Makes room for so many texts, of `bytes` with their ends. 0 or -ENOMEM. */
int names_reserve(struct names *names, uint64_t count, uint64_t bytes);

/* Appends a text of `length` bytes without zero bytes. 0 or -ENOMEM. */
int names_add(struct names *names, const char *text, size_t length);

/* Borrowed until the next addition; NULL for a number not there. */
const char *names_at(const struct names *names, uint32_t number);

/* The number of a text, or the count where it is not there. */
uint32_t names_find(const struct names *names, const char *text);

void names_release(struct names *names);

#endif
