/* What a generator works with: operations on numbered objects, written as they are called.
 *
 * An operation that cannot be written (a full disk) is remembered, and all after it do nothing, so
 * that generators need no code for it; long ones ask generation_failed now and then. */
#ifndef WORKLOADS_GENERATION_H
#define WORKLOADS_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/rng.h"
#include "workloads/generate/generate.h"
#include "workloads/numbering.h"
#include "workloads/writer.h"

struct generation {
    struct trace_writer *writer; /* borrowed */
    struct numbering numbering;
    struct rng rng; /* for the generator to seed */
    struct err err; /* of the first operation that could not be written */
};

static inline bool generation_failed(const struct generation *generation)
{
    return generation->err.code;
}

/* The new object's number. */
uint32_t generation_malloc(struct generation *generation, uint32_t thread, uint64_t size);

void generation_realloc(struct generation *generation, uint32_t thread, uint32_t object,
                        uint64_t size);

void generation_free(struct generation *generation, uint32_t thread, uint32_t object);

/* A phase begins. */
void generation_mark(struct generation *generation, const char *label);

/* Room for `count` objects' numbers, zeroed, or NULL with the sentence; released with free(). */
uint32_t *generation_objects(uint64_t count, struct err *err);

/* The refusal of an option's value. */
int generation_refuse(struct err *err, const char *option, const char *why);

#endif
