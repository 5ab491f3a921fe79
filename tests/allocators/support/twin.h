/* A real heap and its naive reference in step: the first address that differs is an error. */
#ifndef TESTS_TWIN_H
#define TESTS_TWIN_H

#include "allocators/region.h"
#include "allocators/spec.h"
#include "tests/allocators/support/naive.h"

struct twin {
    struct spec spec;
    struct region region;
    struct heap *heap;
    struct naive naive;
    uint64_t steps;
    size_t room;
    struct twin_object {
        void *ref; /* NULL: not live */
        size_t size;
        struct extent extent;
    } * objects;
};

/* The policies that have a reference, by the backends' names; NULL ends them. */
extern const char *const twin_policies[];

/* 0, or -errno with a sentence. */
int twin_open(struct twin *twin, const char *policy, struct err *err);
void twin_close(struct twin *twin);

/* One operation on object number `object`; 0, or -errno and a sentence when the two differ. A size
 * of 0 counts as 1. An object that is not live is not freed; resized, it is allocated. */
int twin_alloc(struct twin *twin, size_t object, size_t size, struct err *err);
int twin_alloc_aligned(struct twin *twin, size_t object, size_t align, size_t size,
                       struct err *err);
int twin_realloc(struct twin *twin, size_t object, size_t size, struct err *err);
int twin_free(struct twin *twin, size_t object, struct err *err);

/* The heap's own check as an error. */
int twin_check(struct twin *twin, struct err *err);

/* The first `events` events of a trace. */
int twin_replay(struct twin *twin, const char *path, uint64_t events, struct err *err);

#endif
