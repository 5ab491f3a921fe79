/* A heap for one test of an allocator that a spec names, and the ledger of its blocks. */
#ifndef TESTS_ALLOCATORS_FIXTURE_H
#define TESTS_ALLOCATORS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "allocators/region.h"
#include "allocators/spec.h"
#include "tests/allocators/support/ledger.h"

/* What a test gets as its state. */
struct subject {
    struct spec spec;
    struct allocator table; /* as the outermost layer has it */
};

struct fixture {
    struct region region;
    struct heap *heap;
    struct ledger *ledger;
};

/* `*state` is a subject; a heap that takes its memory from a region gets at most `limit` bytes. */
void fixture_open(struct fixture *fixture, void **state, size_t limit);
void fixture_close(struct fixture *fixture);

/* By the heap's own check, where it has one. */
void fixture_prove_sound(const struct fixture *fixture);

bool subject_has_layer(const struct spec *spec, const struct layer *layer);

#endif
