/* An adversary for first fit, after Robson ("Bounds for some functions concerning dynamic storage
 * allocation", 1974; "Worst case fragmentation of first fit and best fit storage allocation
 * strategies", 1977): requests of growing size, each a little larger than every hole.
 *
 * 1. For s = 1, 2, … `largest` units: free as much as can be without leaving a hole of s units.
 * 2. Allocate blocks of s units with all that may be live. None fits a hole: the heap grows.
 *
 * Every block is placed at the end of the heap, so placements are known without an allocator: those
 * of first fit and of any other that grows only when nothing fits. Robson's construction, which
 * doubles the size, forces M(log2 n / 2 + 1) - n + 1 units of heap for M live and requests up to n;
 * every size in turn, and the cheapest set of blocks kept by dynamic programming, forces more. */
#include <errno.h>
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum { FF_LIVE, FF_LARGEST, FF_UNIT, FF_HEADER };

static const struct option_row ff_options[] = {
    [FF_LIVE] = {"live", OPTION_COUNT, "32768", "units live at most, headers counted", NULL},
    [FF_LARGEST] = {"largest", OPTION_COUNT, "256", "units of the largest block", NULL},
    [FF_UNIT] = {"unit", OPTION_SIZE, "32",
                 "the smallest block with its header, and the granule of what is larger", NULL},
    [FF_HEADER] = {"header", OPTION_SIZE, "8", "bytes that the allocator adds to a request", NULL},
    {0},
};

struct ff_block {
    uint64_t position, units;
    uint32_t object;
    uint64_t cost; /* of the cheapest set of kept blocks that ends with this one */
    int64_t below; /* the kept block before it, -1: none */
};

struct ff {
    struct ff_block *blocks; /* live, by position */
    int64_t *window;         /* candidates for `below`, by rising position and cost */
    int64_t count;
    uint64_t live, top;
};

static uint64_t ff_end(const struct ff *ff, int64_t i)
{
    return i < 0 ? 0 : ff->blocks[i].position + ff->blocks[i].units;
}

/* Fills cost and below of every block; a hole must stay below `units`. */
static void ff_plan(struct ff *ff, uint64_t units)
{
    int64_t first = 0, last = 0;
    ff->window[last++] = -1;
    for (int64_t j = 0; j < ff->count; j++) {
        struct ff_block *block = &ff->blocks[j];
        while (block->position - ff_end(ff, ff->window[first]) >= units)
            first++;
        block->below = ff->window[first];
        block->cost = block->units + (block->below < 0 ? 0 : ff->blocks[block->below].cost);
        while (last > first && ff->window[last - 1] >= 0 &&
               ff->blocks[ff->window[last - 1]].cost >= block->cost)
            last--;
        ff->window[last++] = j;
    }
}

/* Keeps the cheapest set that ends with the last block, so that the heap's end stays. */
static void ff_thin(struct generation *to, struct ff *ff, uint64_t units)
{
    if (!ff->count)
        return;
    ff_plan(ff, units);
    int64_t keep = ff->count - 1, write = ff->count;
    ff->live = ff->blocks[keep].cost;
    for (int64_t i = ff->count - 1; i >= 0; i--)
        if (i == keep) {
            keep = ff->blocks[i].below;
            ff->blocks[--write] = ff->blocks[i];
        } else
            generation_free(to, 0, ff->blocks[i].object);
    for (int64_t i = write; i < ff->count; i++)
        ff->blocks[i - write] = ff->blocks[i];
    ff->count -= write;
}

static void ff_fill(struct generation *to, struct ff *ff, uint64_t units,
                    const union option_value *options)
{
    uint64_t bytes = units * options[FF_UNIT].number - options[FF_HEADER].number;
    while (ff->live + units <= options[FF_LIVE].number) {
        ff->blocks[ff->count++] = (struct ff_block){
            .position = ff->top, .units = units, .object = generation_malloc(to, 0, bytes)};
        ff->live += units;
        ff->top += units;
    }
}

static int ff_check(const union option_value *options, struct err *err)
{
    uint64_t live = options[FF_LIVE].number, largest = options[FF_LARGEST].number;
    if (live < 16 || live > 1 << 24)
        return generation_refuse(err, "live", "16 to 16777216");
    if (!largest || largest > live / 4)
        return generation_refuse(err, "largest", "at least 1, at most a quarter of live");
    if (options[FF_UNIT].number <= options[FF_HEADER].number || options[FF_UNIT].number > 1 << 20)
        return generation_refuse(err, "unit", "more than the header, at most 1M");
    return 0;
}

static int ff_run(struct generation *to, const union option_value *options, struct err *err)
{
    struct ff ff = {0};
    int failed = ff_check(options, err);
    if (failed)
        return failed;
    size_t room = options[FF_LIVE].number + 1;
    ff.blocks = calloc(room, sizeof *ff.blocks);
    ff.window = calloc(room + 1, sizeof *ff.window);
    if (!ff.blocks || !ff.window)
        failed = err_set(err, ENOMEM, "no memory left for an adversary of this size");
    for (uint64_t units = 1; !failed && units <= options[FF_LARGEST].number; units++) {
        ff_thin(to, &ff, units);
        ff_fill(to, &ff, units, options);
    }
    free(ff.blocks);
    free(ff.window);
    return failed;
}

const struct generator generator_first_fit_adversary = {
    .name = "first-fit-adversary",
    .summary = "requests a little larger than every hole: Robson's worst case for first fit",
    .options = ff_options,
    .run = ff_run,
};
