/* Ramp and decay: the heap grows to its peak in one stroke and then loses a random half of its
 * blocks again and again, each time served by as many smaller requests: what is left lies in holes.
 */
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum { RAMP_BLOCKS, RAMP_MIN, RAMP_MAX, RAMP_HALVINGS, RAMP_ROUNDS, RAMP_SEED };

static const struct option_row ramp_options[] = {
    [RAMP_BLOCKS] = {"blocks", OPTION_COUNT, "50000", "blocks at the peak", NULL},
    [RAMP_MIN] = {"min", OPTION_SIZE, "16", "smallest block", NULL},
    [RAMP_MAX] = {"max", OPTION_SIZE, "2k", "largest block", NULL},
    [RAMP_HALVINGS] = {"halvings", OPTION_COUNT, "6", "times that half of the blocks go", NULL},
    [RAMP_ROUNDS] = {"rounds", OPTION_COUNT, "3", "ramps", NULL},
    [RAMP_SEED] = {"seed", OPTION_COUNT, "1", "of the random numbers", NULL},
    {0},
};

static uint64_t ramp_size(struct generation *to, const union option_value *options)
{
    uint64_t min = options[RAMP_MIN].number;
    return min + rng_below(&to->rng, options[RAMP_MAX].number - min + 1);
}

/* Frees a random half of `count` objects and returns how many are left, at the front. */
static uint64_t ramp_halve(struct generation *to, uint32_t *objects, uint64_t count)
{
    uint64_t left = 0;
    for (uint64_t i = 0; i < count; i++)
        if (rng_next(&to->rng) >> 63)
            generation_free(to, 0, objects[i]);
        else
            objects[left++] = objects[i];
    return left;
}

static void ramp_one(struct generation *to, const union option_value *options, uint32_t *objects)
{
    uint64_t count = 0;
    generation_mark(to, "ramp");
    while (count < options[RAMP_BLOCKS].number)
        objects[count++] = generation_malloc(to, 0, ramp_size(to, options));
    generation_mark(to, "decay");
    for (uint64_t i = 0; i < options[RAMP_HALVINGS].number && count; i++) {
        count = ramp_halve(to, objects, count);
        for (uint64_t j = 0; j < count; j++) /* short-lived requests among the holes */
            generation_free(to, 0, generation_malloc(to, 0, ramp_size(to, options) / 2 + 1));
    }
    for (uint64_t i = 0; i < count; i++)
        generation_free(to, 0, objects[i]);
}

static int ramp_run(struct generation *to, const union option_value *options, struct err *err)
{
    if (options[RAMP_MIN].number > options[RAMP_MAX].number)
        return generation_refuse(err, "min", "at most max");
    uint32_t *objects = generation_objects(options[RAMP_BLOCKS].number, err);
    if (!objects)
        return -err->code;
    rng_init(&to->rng, options[RAMP_SEED].number);
    for (uint64_t i = 0; i < options[RAMP_ROUNDS].number && !generation_failed(to); i++)
        ramp_one(to, options, objects);
    free(objects);
    return 0;
}

const struct generator generator_ramp_decay = {
    .name = "ramp-decay",
    .summary = "a steep ramp, then random halves go while short-lived blocks come and go",
    .options = ramp_options,
    .run = ramp_run,
};
