/* Growing vectors: many grow side by side by realloc, an element at a time, by half or to the
 * double; a full one is freed and a new one begins. */
#include <errno.h>
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum { VECTOR_COUNT, VECTOR_ELEMENT, VECTOR_LONGEST, VECTOR_PUSHES, VECTOR_GROWTH, VECTOR_SEED };

static const struct option_row vector_options[] = {
    [VECTOR_COUNT] = {"vectors", OPTION_COUNT, "64", "at a time", NULL},
    [VECTOR_ELEMENT] = {"element", OPTION_SIZE, "8", "bytes of one", NULL},
    [VECTOR_LONGEST] = {"longest", OPTION_COUNT, "20000", "elements a vector has at most", NULL},
    [VECTOR_PUSHES] = {"growths", OPTION_COUNT, "200000", "times that some vector is full", NULL},
    [VECTOR_GROWTH] = {"growth", OPTION_CHOICE, "double", "how a full vector grows",
                       "double|half|one"},
    [VECTOR_SEED] = {"seed", OPTION_COUNT, "1", "of the random numbers", NULL},
    {0},
};

struct vector {
    uint32_t object;
    uint64_t room, end; /* elements */
};

static uint64_t vector_grown(uint64_t room, uint64_t growth)
{
    uint64_t more = growth == 0 ? room : growth == 1 ? room / 2 : 1;
    return room + (more ? more : 1);
}

/* Lengths are spread evenly over their orders of magnitude. */
static void vector_begin(struct generation *to, const union option_value *options,
                         struct vector *vector)
{
    uint64_t longest = options[VECTOR_LONGEST].number;
    vector->room = 1;
    vector->end = 1 + rng_below(&to->rng, 1 + (longest >> rng_below(&to->rng, 8)));
    vector->object = generation_malloc(to, 0, options[VECTOR_ELEMENT].number);
}

static void vector_grow(struct generation *to, const union option_value *options,
                        struct vector *vector)
{
    vector->room = vector_grown(vector->room, options[VECTOR_GROWTH].number);
    if (vector->room <= vector->end) {
        generation_realloc(to, 0, vector->object, vector->room * options[VECTOR_ELEMENT].number);
        return;
    }
    generation_free(to, 0, vector->object);
    vector_begin(to, options, vector);
}

static int vector_run(struct generation *to, const union option_value *options, struct err *err)
{
    uint64_t count = options[VECTOR_COUNT].number;
    if (!count || count > 10000000)
        return generation_refuse(err, "vectors", "1 to 10000000");
    if (!options[VECTOR_ELEMENT].number || options[VECTOR_ELEMENT].number > 1 << 20 ||
        !options[VECTOR_LONGEST].number || options[VECTOR_LONGEST].number > 1 << 26)
        return generation_refuse(err, "longest", "1 to 67108864, with elements of 1 to 1M");
    struct vector *vectors = calloc(count, sizeof *vectors);
    if (!vectors)
        return err_set(err, ENOMEM, "no memory left for so many vectors");
    rng_init(&to->rng, options[VECTOR_SEED].number);
    for (uint64_t i = 0; i < count; i++)
        vector_begin(to, options, &vectors[i]);
    for (uint64_t i = 0; i < options[VECTOR_PUSHES].number && !generation_failed(to); i++)
        vector_grow(to, options, &vectors[rng_below(&to->rng, count)]);
    for (uint64_t i = 0; i < count; i++)
        generation_free(to, 0, vectors[i].object);
    free(vectors);
    return 0;
}

const struct generator generator_vectors = {
    .name = "vectors",
    .summary = "many vectors grow side by side by realloc",
    .options = vector_options,
    .run = vector_run,
};
