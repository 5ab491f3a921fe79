/* The contract of allocator.h as checks, each for the allocators that it applies to. */
#ifndef TESTS_ALLOCATORS_CONFORMANCE_H
#define TESTS_ALLOCATORS_CONFORMANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "allocators/allocator.h"

struct conformance_check {
    const char *name;
    void (*run)(void **state); /* a cmocka test; `*state` is a subject (fixture.h) */
    bool (*applies)(const struct allocator *table);
};

enum { CONFORMANCE_CHECKS = 15 };
extern const struct conformance_check conformance_checks[CONFORMANCE_CHECKS];

#endif
