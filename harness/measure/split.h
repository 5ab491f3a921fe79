/* Takes a window apart into lanes.
 *
 * Each lane keeps the order of its own operations. Between lanes only what must be is kept: an
 * operation on a block whose last operation in the window was another lane's waits for that one
 * (OP_TAKE before it, OP_GIVE behind the other). Windows follow each other, so nothing waits for an
 * earlier one. Blocks get numbers of their own (slots.h), since the trace's are recycled in an
 * order that the lanes do not keep.
 *
 * Every wait is for something earlier in the trace, so lanes can never wait in a circle. */
#ifndef HARNESS_MEASURE_SPLIT_H
#define HARNESS_MEASURE_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/measure/lane.h"
#include "harness/measure/slots.h"
#include "harness/measure/window.h"

struct split {
    unsigned lanes;
    uint64_t *words;          /* borrowed; split_words() of them */
    handover_word *handovers; /* owned; one an operation of a window */
    size_t capacity;
    uint32_t given; /* handovers in this window */
    uint32_t *last; /* owned; one an object, see split.c */
    uint32_t base;
    uint32_t *places; /* owned; one an object: the number of its block */
    size_t objects;
    struct slots slots;
    size_t *cursors; /* owned; one a lane */
};

/* Words that the lanes of a window of `capacity` words can take together. */
size_t split_words(size_t capacity, unsigned lanes);

/* For windows of up to `capacity` words over `objects` objects, into `words`, which has room for
 * split_words(). What is owned is mapped and touched. Blocks are numbered below split->slots.count.
 */
int split_init(struct split *split, uint64_t *words, size_t objects, size_t capacity,
               unsigned lanes, struct err *err);
void split_release(struct split *split);

/* Fewer lanes than was told at first, before the first window. */
void split_fold(struct split *split, unsigned lanes);

/* Sets begin, end and operations of each lane. The window must know its threads, which are
 * overwritten with the lane of each operation: thread modulo lanes. */
void split_window(struct split *split, struct window *window, struct lane *lanes);

#endif
