/* An adversary for best fit (Robson, "Worst case fragmentation of first fit and best fit storage
 * allocation strategies", 1977; Knuth, The Art of Computer Programming 1, 2.5, exercise 42).
 *
 * With blocks of at most m units it drives the heap into holes of m-3 units between blocks of one:
 * R(m-2) [F(m-3) R(1)]^k, R reserved and F free, where nothing of m-2 units fits anywhere. One more
 * pair at a time:
 * 1. Two blocks of m-2 at the end; the last R(1) and the first of the two go, which leaves one hole
 *    of 2m-4: m, m-5 and 1 fill it; the m goes.
 * 2. That hole of m moves to the front past one pair after another: m-2 and 2 fill it, the pair's
 *    R(1) and the m-2 go, m, m-5 and 1 fill the hole, and m, 2 and the old m-5 go.
 * 3. At the front the m-5 goes and m-2 takes its place before the new pair.
 * Every request finds the hole it is meant for as the smallest that suffices. The heap reaches
 * (M - 4m + 11)(m - 2) units for M live. */
#include <errno.h>
#include <stdlib.h>

#include "workloads/generate/generation.h"

enum { BF_LIVE, BF_LARGEST, BF_UNIT, BF_HEADER };

static const struct option_row bf_options[] = {
    [BF_LIVE] = {"live", OPTION_COUNT, "600", "units live at most, headers counted", NULL},
    [BF_LARGEST] = {"largest", OPTION_COUNT, "32", "units of the largest block", NULL},
    [BF_UNIT] = {"unit", OPTION_SIZE, "32",
                 "the smallest block with its header, and the granule of what is larger", NULL},
    [BF_HEADER] = {"header", OPTION_SIZE, "8", "bytes that the allocator adds to a request", NULL},
    {0},
};

struct bf {
    struct generation *to;
    const union option_value *options;
    uint64_t m;
    uint32_t front; /* R(m-2) */
    uint32_t *ones; /* the R(1) of each pair, by position */
    uint64_t pairs;
};

static uint32_t bf_take(const struct bf *bf, uint64_t units)
{
    uint64_t bytes = units * bf->options[BF_UNIT].number - bf->options[BF_HEADER].number;
    return generation_malloc(bf->to, 0, bytes);
}

static void bf_give(const struct bf *bf, uint32_t object)
{
    generation_free(bf->to, 0, object);
}

/* What stands in a stretch of 2m-4: a hole of m (when given back), m-5, and 1. */
struct bf_hole {
    uint32_t large, filler, one;
};

static struct bf_hole bf_fill(const struct bf *bf)
{
    struct bf_hole hole;
    hole.large = bf_take(bf, bf->m);
    hole.filler = bf_take(bf, bf->m - 5);
    hole.one = bf_take(bf, 1);
    return hole;
}

/* The hole of m before `hole`'s filler changes places with what is before it, which ends with
 * `last`: the pair's R(1), or the front block. Returns the R(1) that stands where the hole ended.
 */
static uint32_t bf_commute(const struct bf *bf, struct bf_hole *hole, uint32_t last)
{
    uint32_t behind = bf_take(bf, bf->m - 2), two = bf_take(bf, 2), one = hole->one,
             filler = hole->filler;
    bf_give(bf, last);
    bf_give(bf, behind);
    *hole = bf_fill(bf);
    bf_give(bf, hole->large);
    bf_give(bf, two);
    bf_give(bf, filler);
    return one;
}

/* From k pairs to k+1. */
static void bf_grow(struct bf *bf)
{
    uint32_t first = bf_take(bf, bf->m - 2), wall = bf_take(bf, bf->m - 2);
    bf_give(bf, bf->pairs ? bf->ones[bf->pairs - 1] : bf->front);
    bf_give(bf, first);
    struct bf_hole hole = bf_fill(bf);
    bf_give(bf, hole.large);
    bf_give(bf, wall);
    for (uint64_t i = bf->pairs; i-- > 0;)
        bf->ones[i + 1] = bf_commute(bf, &hole, i ? bf->ones[i - 1] : bf->front);
    bf->ones[0] = hole.one;
    bf_give(bf, hole.filler);
    bf->front = bf_take(bf, bf->m - 2);
    bf->pairs++;
}

static int bf_check(const union option_value *options, struct err *err)
{
    uint64_t live = options[BF_LIVE].number, m = options[BF_LARGEST].number;
    if (m < 8 || m > 4096)
        return generation_refuse(err, "largest", "8 to 4096");
    if (live < 4 * m || live > 20000)
        return generation_refuse(err, "live", "at least four times the largest, at most 20000");
    if (options[BF_UNIT].number <= options[BF_HEADER].number || options[BF_UNIT].number > 1 << 20)
        return generation_refuse(err, "unit", "more than the header, at most 1M");
    return 0;
}

static int bf_run(struct generation *to, const union option_value *options, struct err *err)
{
    struct bf bf = {.to = to, .options = options, .m = options[BF_LARGEST].number};
    int failed = bf_check(options, err);
    if (failed)
        return failed;
    /* Within a step the front, its pairs, and up to 3m - 6 units more are live. */
    uint64_t pairs = options[BF_LIVE].number - 4 * bf.m + 9;
    bf.ones = generation_objects(pairs + 1, err);
    if (!bf.ones)
        return -err->code;
    bf.front = bf_take(&bf, bf.m - 2);
    while (bf.pairs < pairs && !generation_failed(to))
        bf_grow(&bf);
    free(bf.ones);
    return 0;
}

const struct generator generator_best_fit_adversary = {
    .name = "best-fit-adversary",
    .summary = "holes just too small between the smallest blocks: Robson's worst case for best fit",
    .options = bf_options,
    .run = bf_run,
};
