/* Turns: a repetition of a short trace, measured in several fresh processes.
 *
 * What disturbs a machine comes in bursts of milliseconds to seconds, and a replay over in less is
 * either hit whole or not at all. So the allocators of a repetition take turns, each replay in a
 * new process, until a repetition has replayed enough; what stands for it is the replay at the
 * lower quartile of its times (the fastest of four or fewer), all its other figures with it. */
#ifndef HARNESS_TURNS_H
#define HARNESS_TURNS_H

#include <stddef.h>
#include <stdint.h>

#include "harness/measure/pass.h"
#include "results/cell.h"

enum {
    TURNS_AS_NEEDED = 0,
    TURNS_MOST = 8,                      /* as needed */
    TURNS_OPERATIONS = 16 * 1000 * 1000, /* that a repetition replays, as far as TURNS_MOST goes */
};

/* How many turns a repetition of a trace of so many events has where `asked` were asked for; 1 in
 * every pass that does not measure the time of a whole replay. */
unsigned turns_of(enum pass pass, uint64_t events, unsigned asked);

struct turns {
    struct cell_result *results; /* owned: `most` for each of the cells, in the order of turns */
    unsigned *taken;             /* owned: by each of the cells */
    size_t cells;
    unsigned most;
};

void turns_init(struct turns *turns, size_t cells, unsigned most);
void turns_release(struct turns *turns);

/* Which of the cells comes `place`-th in turn `turn`: in the order of the block and back again, so
 * that what drifts favours none. */
size_t turns_cell(const struct turns *turns, unsigned turn, size_t place);

/* Where the next result of the cell goes; NULL once it has had its turns, or one of them failed. */
struct cell_result *turns_next(const struct turns *turns, size_t cell);

/* The result that turns_next() gave is there. The one that stands for the repetition where it was
 * the last turn, its `turns` set: the one that failed, if one did; NULL while others follow. */
const struct cell_result *turns_take(struct turns *turns, size_t cell);

#endif
