/* Threadtest (Berger et al., "Hoard", 2000): every thread allocates its share of blocks and frees
 * them, over and over; nothing is shared. */
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum { TEST_THREADS, TEST_BLOCKS, TEST_SIZE, TEST_ROUNDS };

static const struct option_row test_options[] = {
    [TEST_THREADS] = {"threads", OPTION_COUNT, "4", "at a time", NULL},
    [TEST_BLOCKS] = {"blocks", OPTION_COUNT, "100000", "blocks of all threads together", NULL},
    [TEST_SIZE] = {"size", OPTION_SIZE, "8", "of each block", NULL},
    [TEST_ROUNDS] = {"rounds", OPTION_COUNT, "5", "times that all is allocated and freed", NULL},
    {0},
};

static int test_run(struct generation *to, const union option_value *options, struct err *err)
{
    uint64_t threads = options[TEST_THREADS].number, blocks = options[TEST_BLOCKS].number;
    if (!threads || threads > 1000)
        return generation_refuse(err, "threads", "1 to 1000");
    if (blocks < threads || blocks > 100000000)
        return generation_refuse(err, "blocks", "at least one a thread, at most 100000000");
    uint32_t *objects = generation_objects(blocks, err);
    if (!objects)
        return -err->code;
    for (uint64_t round = 0; round < options[TEST_ROUNDS].number && !generation_failed(to);
         round++) {
        for (uint64_t i = 0; i < blocks; i++)
            objects[i] = generation_malloc(to, (uint32_t)(i % threads), options[TEST_SIZE].number);
        for (uint64_t i = 0; i < blocks; i++)
            generation_free(to, (uint32_t)(i % threads), objects[i]);
    }
    free(objects);
    return 0;
}

const struct generator generator_threadtest = {
    .name = "threadtest",
    .summary = "threads allocate and free their own blocks",
    .options = test_options,
    .run = test_run,
};
