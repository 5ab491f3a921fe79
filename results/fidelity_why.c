/* Why a replay foretold another heap than the program had: what was measured of the usual causes.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "harness/base/clause.h"
#include "harness/base/units.h"
#include "results/fidelity.h"

/* A cause that moves less than this share of the heap is none. */
#define WHY_WORTH 0.01

bool fidelity_is_off(const struct fidelity_row *row)
{
    return fabs(row->error) > FIDELITY_ERROR;
}

/* The replay writes into blocks that the program asked for and did not use. */
static void why_untouched(struct fidelity_row *row)
{
    char text[UNITS_TEXT];
    double untouched = row->untouched_bytes, heap = row->heap_bytes;
    if (row->error < 0 || strcmp(row->touch, "page") != 0)
        return;
    double without = (row->replayed_bytes - untouched) / heap - 1;
    if (untouched > WHY_WORTH * heap)
        clause_add(
            row->why, sizeof row->why,
            "the replay touches every page, and the program had not touched at least %s of its "
            "blocks of 32 KiB and more",
            units_format_size(text, (uint64_t)untouched));
    /* Else they lay on pages that other blocks had touched. */
    if (untouched > WHY_WORTH * heap && fabs(without) < row->error)
        clause_add(row->why, sizeof row->why, "without these the error is %+.1f %%", 100 * without);
    bool some = untouched > WHY_WORTH * heap || row->live_bytes > heap;
    if (some && row->bare_bytes < heap)
        clause_add(
            row->why, sizeof row->why,
            "with only the first byte of each block written it is %+.1f %%: the program touched "
            "some pages of its blocks and not others",
            100 * (row->bare_bytes / heap - 1));
    if (row->live_bytes > heap)
        clause_add(
            row->why, sizeof row->why,
            "more is live than resident, so at least %s of the live blocks were never touched",
            units_format_size(text, (uint64_t)(row->live_bytes - heap)));
}

/* Whether another replay's peak is nearer by more than a trifle. */
static bool why_is_nearer(const struct fidelity_row *row, double bytes)
{
    return fabs(bytes - row->heap_bytes) + WHY_WORTH * row->heap_bytes <
           fabs(row->replayed_bytes - row->heap_bytes);
}

/* Whether the clock tells more than the touching does. */
static bool why_is_clock(const struct fidelity_row *row)
{
    double bare = fabs(row->bare_bytes - row->heap_bytes);
    return fabs(row->paced_bytes - row->heap_bytes) < bare ||
           fabs(row->unsampled_bytes - row->heap_bytes) < bare;
}

/* What a recording that tells of touched pages does not tell. */
static void why_recorded(struct fidelity_row *row)
{
    if (row->error < 0 || strcmp(row->touch, "recorded") != 0 ||
        !why_is_nearer(row, row->bare_bytes) || why_is_clock(row))
        return;
    clause_add(row->why, sizeof row->why,
               "of blocks below 32 KiB the replay touches every page, and of larger ones at once "
               "what the program touched in the course of their lives: with only the first byte of "
               "each block written the error is %+.1f %%",
               100 * (row->bare_bytes / row->heap_bytes - 1));
}

/* What gives memory back by the clock depends on how long a replay takes. */
static void why_clock(struct fidelity_row *row)
{
    if (why_is_nearer(row, row->paced_bytes))
        clause_add(row->why, sizeof row->why,
                   "memory is given back by the clock: replayed at the program's pace the error is "
                   "%+.1f %%",
                   100 * (row->paced_bytes / row->heap_bytes - 1));
    if (why_is_nearer(row, row->unsampled_bytes))
        clause_add(row->why, sizeof row->why,
                   "memory is given back by the clock, and taking samples makes the replay slow: "
                   "without them the error is %+.1f %%",
                   100 * (row->unsampled_bytes / row->heap_bytes - 1));
}

static void why_varies(struct fidelity_row *row)
{
    if (row->heap_spread > FIDELITY_DIFFERENCE)
        clause_add(row->why, sizeof row->why,
                   "the program's own heap varies by %.1f %% from run to run",
                   100 * row->heap_spread);
    if (row->threads != COUNT_UNKNOWN && row->threads > 1)
        clause_add(
            row->why, sizeof row->why,
            "it has %llu threads, which meet in the allocator otherwise than in the recording",
            (unsigned long long)row->threads);
}

void fidelity_explain(struct fidelity_row *row)
{
    if (!fidelity_is_off(row))
        return;
    why_untouched(row);
    why_recorded(row);
    why_clock(row);
    why_varies(row);
    if (!*row->why)
        clause_add(row->why, sizeof row->why,
                   "not by untouched pages, nor by the clock, nor by threads");
}
