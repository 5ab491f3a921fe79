/* The cells of a plan, in the order in which they run. */
#include "harness/plan_cells.h"

#include <stdlib.h>

#include "harness/base/rng.h"

static bool plan_pass_repeats(enum pass pass)
{
    return pass == PASS_THROUGHPUT || pass == PASS_LATENCY;
}

/* Fisher and Yates. */
static void plan_shuffle(struct plan_cell *cells, size_t count, struct rng *rng)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = rng_below(rng, i);
        struct plan_cell held = cells[i - 1];
        cells[i - 1] = cells[other];
        cells[other] = held;
    }
}

static size_t plan_add_block(const struct plan *plan, struct plan_cell *cells,
                             struct plan_cell like, struct rng *rng)
{
    for (uint32_t spec = 0; spec < plan->spec_count; spec++) {
        cells[spec] = like;
        cells[spec].spec = spec;
    }
    plan_shuffle(cells, plan->spec_count, rng);
    return plan->spec_count;
}

struct plan_cell *plan_cells(const struct plan *plan, size_t *count)
{
    size_t most = plan->trace_count * plan->spec_count * PASSES * (plan->repeat ? plan->repeat : 1);
    struct plan_cell *cells = calloc(most ? most : 1, sizeof *cells);
    if (!cells)
        err_no_memory("%zu cells", most);
    struct rng rng;
    rng_init(&rng, plan->seed);
    size_t used = 0;
    for (uint32_t trace = 0; trace < plan->trace_count; trace++) {
        for (uint32_t repetition = 0; repetition < plan->repeat; repetition++)
            for (enum pass pass = 0; pass < PASSES; pass++)
                if (plan->passes[pass] && plan_pass_repeats(pass))
                    used += plan_add_block(plan, cells + used,
                                           (struct plan_cell){0, trace, repetition, pass}, &rng);
        for (enum pass pass = 0; pass < PASSES; pass++)
            if (plan->passes[pass] && !plan_pass_repeats(pass))
                used +=
                    plan_add_block(plan, cells + used, (struct plan_cell){0, trace, 0, pass}, &rng);
    }
    *count = used;
    return cells;
}
