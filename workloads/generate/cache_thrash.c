/* Cache-thrash (Berger et al., "Hoard", 2000): threads allocate and free small blocks at the same
 * time. An allocator that serves them from one cache line makes them fight for it (active false
 * sharing). */
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum { THRASH_THREADS, THRASH_SIZE, THRASH_ROUNDS };

static const struct option_row thrash_options[] = {
    [THRASH_THREADS] = {"threads", OPTION_COUNT, "4", "at a time", NULL},
    [THRASH_SIZE] = {"size", OPTION_SIZE, "8", "of each block", NULL},
    [THRASH_ROUNDS] = {"rounds", OPTION_COUNT, "100000", "blocks a thread allocates and frees",
                       NULL},
    {0},
};

static int thrash_run(struct generation *to, const union option_value *options, struct err *err)
{
    uint64_t threads = options[THRASH_THREADS].number;
    if (!threads || threads > 1000)
        return generation_refuse(err, "threads", "1 to 1000");
    uint32_t *objects = generation_objects(threads, err);
    if (!objects)
        return -err->code;
    for (uint64_t round = 0; round < options[THRASH_ROUNDS].number && !generation_failed(to);
         round++) {
        for (uint64_t t = 0; t < threads; t++)
            objects[t] = generation_malloc(to, (uint32_t)t, options[THRASH_SIZE].number);
        for (uint64_t t = 0; t < threads; t++)
            generation_free(to, (uint32_t)t, objects[t]);
    }
    free(objects);
    return 0;
}

const struct generator generator_cache_thrash = {
    .name = "cache-thrash",
    .summary = "active false sharing: threads allocate and free small blocks side by side",
    .options = thrash_options,
    .run = thrash_run,
};
