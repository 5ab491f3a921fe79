/* A sawtooth: the heap grows steadily and is dropped at once, tooth after tooth; a few blocks of
 * each tooth stay. */
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum { TOOTH_TEETH, TOOTH_BLOCKS, TOOTH_MIN, TOOTH_MAX, TOOTH_STAY, TOOTH_SEED };

static const struct option_row tooth_options[] = {
    [TOOTH_TEETH] = {"teeth", OPTION_COUNT, "10", "times that the heap grows and is dropped", NULL},
    [TOOTH_BLOCKS] = {"blocks", OPTION_COUNT, "20000", "blocks a tooth", NULL},
    [TOOTH_MIN] = {"min", OPTION_SIZE, "16", "smallest block", NULL},
    [TOOTH_MAX] = {"max", OPTION_SIZE, "1k", "largest block", NULL},
    [TOOTH_STAY] = {"stay", OPTION_COUNT, "100", "one block in so many stays; 0: none", NULL},
    [TOOTH_SEED] = {"seed", OPTION_COUNT, "1", "of the random numbers", NULL},
    {0},
};

static void tooth_one(struct generation *to, const union option_value *options, uint32_t *objects)
{
    uint64_t blocks = options[TOOTH_BLOCKS].number, stay = options[TOOTH_STAY].number,
             min = options[TOOTH_MIN].number, span = options[TOOTH_MAX].number - min + 1;
    for (uint64_t i = 0; i < blocks; i++)
        objects[i] = generation_malloc(to, 0, min + rng_below(&to->rng, span));
    for (uint64_t i = 0; i < blocks; i++)
        if (!stay || rng_below(&to->rng, stay))
            generation_free(to, 0, objects[i]);
}

static int tooth_run(struct generation *to, const union option_value *options, struct err *err)
{
    if (options[TOOTH_MIN].number > options[TOOTH_MAX].number)
        return generation_refuse(err, "min", "at most max");
    uint32_t *objects = generation_objects(options[TOOTH_BLOCKS].number, err);
    if (!objects)
        return -err->code;
    rng_init(&to->rng, options[TOOTH_SEED].number);
    for (uint64_t i = 0; i < options[TOOTH_TEETH].number && !generation_failed(to); i++)
        tooth_one(to, options, objects);
    free(objects);
    return 0;
}

const struct generator generator_sawtooth = {
    .name = "sawtooth",
    .summary = "grows steadily, is dropped at once, a few blocks stay",
    .options = tooth_options,
    .run = tooth_run,
};
