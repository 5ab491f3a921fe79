/* xmalloc (Lever and Boreham, "malloc() performance in a multithreaded Linux environment", 2000):
 * producers allocate batches, consumers free them: every free is on another thread. */
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum { X_PAIRS, X_BATCH, X_QUEUE, X_ROUNDS, X_MAX, X_SEED };

static const struct option_row x_options[] = {
    [X_PAIRS] = {"pairs", OPTION_COUNT, "2", "producers, and as many consumers", NULL},
    [X_BATCH] = {"batch", OPTION_COUNT, "120", "blocks handed over at once", NULL},
    [X_QUEUE] = {"queue", OPTION_COUNT, "8", "batches waiting for a consumer", NULL},
    [X_ROUNDS] = {"rounds", OPTION_COUNT, "2000", "batches a producer makes", NULL},
    [X_MAX] = {"max", OPTION_SIZE, "2k", "largest block; halves of it are twice as frequent", NULL},
    [X_SEED] = {"seed", OPTION_COUNT, "1", "of the random numbers", NULL},
    {0},
};

/* A size below max/2^k, k falling off by halves. */
static uint64_t x_size(struct generation *to, uint64_t max)
{
    uint64_t bits = rng_next(&to->rng) | UINT64_C(1) << 20;
    uint64_t limit = max >> __builtin_ctzll(bits);
    return 1 + rng_below(&to->rng, limit ? limit : 1);
}

/* A batch of pair `pair` into its queue's slot, whose old contents its consumer frees first. */
static void x_batch(struct generation *to, const union option_value *options, uint64_t pair,
                    uint64_t round, uint32_t *slot)
{
    uint64_t batch = options[X_BATCH].number;
    for (uint64_t i = 0; i < batch; i++) {
        if (round >= options[X_QUEUE].number)
            generation_free(to, (uint32_t)(2 * pair + 1), slot[i]);
        slot[i] = generation_malloc(to, (uint32_t)(2 * pair), x_size(to, options[X_MAX].number));
    }
}

static int x_run(struct generation *to, const union option_value *options, struct err *err)
{
    uint64_t pairs = options[X_PAIRS].number, batch = options[X_BATCH].number,
             queue = options[X_QUEUE].number, rounds = options[X_ROUNDS].number;
    if (!pairs || pairs > 500)
        return generation_refuse(err, "pairs", "1 to 500");
    if (!batch || batch > 100000 || !queue || queue > 1000)
        return generation_refuse(err, "batch", "1 to 100000, and a queue of 1 to 1000");
    if (!options[X_MAX].number)
        return generation_refuse(err, "max", "at least 1");
    uint32_t *slots = generation_objects(pairs * queue * batch, err);
    if (!slots)
        return -err->code;
    rng_init(&to->rng, options[X_SEED].number);
    for (uint64_t round = 0; round < rounds && !generation_failed(to); round++)
        for (uint64_t pair = 0; pair < pairs; pair++)
            x_batch(to, options, pair, round, &slots[(pair * queue + round % queue) * batch]);
    uint64_t filled = rounds < queue ? rounds : queue;
    for (uint64_t pair = 0; pair < pairs; pair++)
        for (uint64_t i = 0; i < filled * batch; i++)
            generation_free(to, (uint32_t)(2 * pair + 1), slots[pair * queue * batch + i]);
    free(slots);
    return 0;
}

const struct generator generator_xmalloc = {
    .name = "xmalloc",
    .summary = "producers allocate what consumers free",
    .options = x_options,
    .run = x_run,
};
