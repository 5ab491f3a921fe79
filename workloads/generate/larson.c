/* Larson and Krishnan's server ("Memory allocation for long-running server applications", 1998):
 * each thread replaces random blocks of its set, then hands the set to a successor, so that blocks
 * are freed by threads that did not allocate them. */
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum {
    LARSON_THREADS,
    LARSON_BLOCKS,
    LARSON_MIN,
    LARSON_MAX,
    LARSON_REPLACE,
    LARSON_ROUNDS,
    LARSON_SEED
};

static const struct option_row larson_options[] = {
    [LARSON_THREADS] = {"threads", OPTION_COUNT, "4", "threads at a time", NULL},
    [LARSON_BLOCKS] = {"blocks", OPTION_COUNT, "1000", "blocks a thread holds", NULL},
    [LARSON_MIN] = {"min", OPTION_SIZE, "10", "smallest block", NULL},
    [LARSON_MAX] = {"max", OPTION_SIZE, "500", "largest block", NULL},
    [LARSON_REPLACE] = {"replace", OPTION_COUNT, "10000", "blocks a thread replaces in its life",
                        NULL},
    [LARSON_ROUNDS] = {"rounds", OPTION_COUNT, "10", "generations of threads", NULL},
    [LARSON_SEED] = {"seed", OPTION_COUNT, "1", "of the random numbers", NULL},
    {0},
};

static uint64_t larson_size(struct generation *to, const union option_value *options)
{
    uint64_t min = options[LARSON_MIN].number, max = options[LARSON_MAX].number;
    return min + rng_below(&to->rng, max - min + 1);
}

/* A set goes to the thread beside: also where the threads of all rounds are folded onto those of one,
 * blocks are freed by another. */
static void larson_round(struct generation *to, const union option_value *options, uint64_t round,
                         uint32_t *objects)
{
    uint64_t threads = options[LARSON_THREADS].number, blocks = options[LARSON_BLOCKS].number;
    for (uint64_t i = 0; i < options[LARSON_REPLACE].number && !generation_failed(to); i++)
        for (uint64_t t = 0; t < threads; t++) {
            uint32_t thread = (uint32_t)(round * threads + t);
            uint64_t set = (round + t) % threads;
            uint32_t *slot = &objects[set * blocks + rng_below(&to->rng, blocks)];
            generation_free(to, thread, *slot);
            *slot = generation_malloc(to, thread, larson_size(to, options));
        }
}

static int larson_run(struct generation *to, const union option_value *options, struct err *err)
{
    uint64_t threads = options[LARSON_THREADS].number, blocks = options[LARSON_BLOCKS].number;
    if (!threads || threads > 1000)
        return generation_refuse(err, "threads", "1 to 1000");
    if (!blocks || blocks > 10000000)
        return generation_refuse(err, "blocks", "1 to 10000000");
    if (options[LARSON_ROUNDS].number > 1000)
        return generation_refuse(err, "rounds", "at most 1000");
    if (options[LARSON_MIN].number > options[LARSON_MAX].number)
        return generation_refuse(err, "min", "at most max");
    uint32_t *objects = generation_objects(threads * blocks, err);
    if (!objects)
        return -err->code;
    rng_init(&to->rng, options[LARSON_SEED].number);
    for (uint64_t i = 0; i < threads * blocks; i++)
        objects[i] = generation_malloc(to, (uint32_t)(i / blocks), larson_size(to, options));
    for (uint64_t round = 0; round < options[LARSON_ROUNDS].number; round++)
        larson_round(to, options, round, objects);
    free(objects);
    return 0;
}

const struct generator generator_larson = {
    .name = "larson",
    .summary = "threads replace random blocks and hand their set to a successor",
    .options = larson_options,
    .run = larson_run,
};
