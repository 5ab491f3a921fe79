/* Turns: a repetition of a short trace, measured in several fresh processes. */
#include "harness/turns.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/err.h"

unsigned turns_of(enum pass pass, uint64_t events, unsigned asked)
{
    if (pass != PASS_THROUGHPUT)
        return 1;
    if (asked != TURNS_AS_NEEDED)
        return asked;
    uint64_t needed = events ? (TURNS_OPERATIONS + events - 1) / events : TURNS_MOST;
    return needed < TURNS_MOST ? (unsigned)needed : TURNS_MOST;
}

void turns_init(struct turns *turns, size_t cells, unsigned most)
{
    *turns = (struct turns){.results = calloc(cells * most, sizeof *turns->results),
                            .taken = calloc(cells, sizeof *turns->taken),
                            .cells = cells,
                            .most = most};
    if (!turns->results || !turns->taken)
        err_no_memory("%zu results", cells * most);
}

void turns_release(struct turns *turns)
{
    free(turns->taken);
    free(turns->results);
}

size_t turns_cell(const struct turns *turns, unsigned turn, size_t place)
{
    return turn % 2 ? turns->cells - 1 - place : place;
}

static struct cell_result *turns_of_cell(const struct turns *turns, size_t cell)
{
    return turns->results + cell * turns->most;
}

struct cell_result *turns_next(const struct turns *turns, size_t cell)
{
    unsigned taken = turns->taken[cell];
    return taken < turns->most ? turns_of_cell(turns, cell) + taken : NULL;
}

static int turns_faster(const void *a, const void *b)
{
    double left = ((const struct cell_result *)a)->ns_per_op;
    double right = ((const struct cell_result *)b)->ns_per_op;
    return (left > right) - (left < right);
}

const struct cell_result *turns_take(struct turns *turns, size_t cell)
{
    struct cell_result *results = turns_of_cell(turns, cell);
    unsigned taken = ++turns->taken[cell];
    struct cell_result *last = &results[taken - 1];
    bool failed = strcmp(last->status, "ok") != 0;
    if (!failed && taken < turns->most)
        return NULL;
    turns->taken[cell] = turns->most;
    if (!failed)
        qsort(results, taken, sizeof *results, turns_faster);
    struct cell_result *chosen = failed ? last : &results[(taken + 3) / 4 - 1];
    chosen->turns = taken;
    return chosen;
}
