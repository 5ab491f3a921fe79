/* Cache-scratch (Berger et al., "Hoard", 2000): one thread allocates a block for each of the
 * others; each frees it and goes on with blocks of its own. An allocator that hands the freed
 * neighbours back makes the threads share cache lines (passive false sharing). */
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum { SCRATCH_THREADS, SCRATCH_SIZE, SCRATCH_ROUNDS };

static const struct option_row scratch_options[] = {
    [SCRATCH_THREADS] = {"threads", OPTION_COUNT, "4", "besides the first", NULL},
    [SCRATCH_SIZE] = {"size", OPTION_SIZE, "8", "of each block", NULL},
    [SCRATCH_ROUNDS] = {"rounds", OPTION_COUNT, "50000", "blocks a thread allocates and frees",
                        NULL},
    {0},
};

static int scratch_run(struct generation *to, const union option_value *options, struct err *err)
{
    uint64_t threads = options[SCRATCH_THREADS].number, size = options[SCRATCH_SIZE].number;
    if (!threads || threads > 1000)
        return generation_refuse(err, "threads", "1 to 1000");
    uint32_t *objects = generation_objects(threads, err);
    if (!objects)
        return -err->code;
    for (uint64_t t = 0; t < threads; t++)
        objects[t] = generation_malloc(to, 0, size);
    for (uint64_t t = 0; t < threads; t++)
        generation_free(to, (uint32_t)t + 1, objects[t]);
    for (uint64_t round = 0; round < options[SCRATCH_ROUNDS].number && !generation_failed(to);
         round++) {
        for (uint64_t t = 0; t < threads; t++)
            objects[t] = generation_malloc(to, (uint32_t)t + 1, size);
        for (uint64_t t = 0; t < threads; t++)
            generation_free(to, (uint32_t)t + 1, objects[t]);
    }
    free(objects);
    return 0;
}

const struct generator generator_cache_scratch = {
    .name = "cache-scratch",
    .summary = "passive false sharing: blocks of one thread freed by others, then small blocks",
    .options = scratch_options,
    .run = scratch_run,
};
