/* The mymalloc text's timing loop: for n = 100, 1,000, … an array of n pointers, n ints, all freed
 * in the order they came. */
#include <stdio.h>
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum { LOOP_LARGEST };

static const struct option_row loop_options[] = {
    [LOOP_LARGEST] = {"largest", OPTION_COUNT, "100000",
                      "the last n; each is ten times the one before", NULL},
    {0},
};

static void loop_round(struct generation *to, uint64_t n, uint32_t *objects)
{
    char label[32];
    snprintf(label, sizeof label, "n = %llu", (unsigned long long)n);
    generation_mark(to, label);
    uint32_t array = generation_malloc(to, 0, n * 8);
    for (uint64_t i = 0; i < n; i++)
        objects[i] = generation_malloc(to, 0, 4);
    for (uint64_t i = 0; i < n; i++)
        generation_free(to, 0, objects[i]);
    generation_free(to, 0, array);
}

static int loop_run(struct generation *to, const union option_value *options, struct err *err)
{
    uint64_t largest = options[LOOP_LARGEST].number;
    if (largest < 100 || largest > 100000000)
        return generation_refuse(err, "largest", "100 to 100000000");
    uint32_t *objects = generation_objects(largest, err);
    if (!objects)
        return -err->code;
    for (uint64_t n = 100; n <= largest; n *= 10)
        loop_round(to, n, objects);
    free(objects);
    return 0;
}

const struct generator generator_mymalloc_loop = {
    .name = "mymalloc-loop",
    .summary = "n ints allocated, then freed in order, n = 100, 1,000, …",
    .options = loop_options,
    .run = loop_run,
};
