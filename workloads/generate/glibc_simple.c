/* The C library's own simple benchmark (glibc benchtests, bench-malloc-simple): 25, 100, 400 and
 * 1,600 blocks of one size allocated and freed in the same order, a fixed number of calls each. */
#include <stdio.h>
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum { SIMPLE_SIZE, SIMPLE_CALLS };

static const struct option_row simple_options[] = {
    [SIMPLE_SIZE] = {"size", OPTION_SIZE, "32", "of each block", NULL},
    [SIMPLE_CALLS] = {"calls", OPTION_COUNT, "200000", "allocations for each number of blocks",
                      NULL},
    {0},
};

static void simple_phase(struct generation *to, uint64_t size, uint64_t calls, uint64_t count,
                         uint32_t *objects)
{
    char label[32];
    snprintf(label, sizeof label, "%llu blocks", (unsigned long long)count);
    generation_mark(to, label);
    for (uint64_t round = 0; round < calls / count && !generation_failed(to); round++) {
        for (uint64_t i = 0; i < count; i++)
            objects[i] = generation_malloc(to, 0, size);
        for (uint64_t i = 0; i < count; i++)
            generation_free(to, 0, objects[i]);
    }
}

static int simple_run(struct generation *to, const union option_value *options, struct err *err)
{
    static const uint64_t counts[] = {25, 100, 400, 1600};
    uint32_t *objects = generation_objects(1600, err);
    if (!objects)
        return -err->code;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        simple_phase(to, options[SIMPLE_SIZE].number, options[SIMPLE_CALLS].number, counts[i],
                     objects);
    free(objects);
    return 0;
}

const struct generator generator_glibc_simple = {
    .name = "glibc-simple",
    .summary = "few to many blocks of one size, allocated and freed in order",
    .options = simple_options,
    .run = simple_run,
};
