/* Takes a window apart into lanes.
 *
 * Two passes. The first finds the lane of each operation and whether it takes or gives a handover:
 * `last` then holds the place of the object's last operation, counted over all windows from 1, so
 * that what is not above the window's own `base` is of an earlier one. The second writes the words:
 * `last` then holds the number of the handover that the object's next operation takes, which is
 * below any base. */
#include "harness/measure/split.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "harness/base/pages.h"

/* Beside the lane of an operation. */
#define SPLIT_GIVES (UINT32_C(1) << 31)
#define SPLIT_TAKES (UINT32_C(1) << 30)
#define SPLIT_LANE (SPLIT_TAKES - 1)

/* The words of a lane begin on a cache line of their own. */
enum { SPLIT_LINE = 8, SPLIT_GROWTH = 3 };

size_t split_words(size_t capacity, unsigned lanes)
{
    return SPLIT_GROWTH * capacity + (size_t)SPLIT_LINE * (lanes + 1);
}

int split_init(struct split *split, uint64_t *words, size_t objects, size_t capacity,
               unsigned lanes, struct err *err)
{
    *split = (struct split){
        .lanes = lanes,
        .words = words,
        .capacity = capacity,
        .base = (uint32_t)capacity,
        .objects = objects,
        .handovers = pages_map(capacity * sizeof *split->handovers),
        .last = pages_map(objects * sizeof *split->last),
        .places = pages_map(objects * sizeof *split->places),
        .cursors = pages_map(lanes * sizeof *split->cursors),
    };
    if (split->handovers && split->last && split->places && split->cursors)
        return slots_init(&split->slots, slots_needed(objects, capacity, lanes), lanes, err);
    int code = errno;
    split_release(split);
    return err_set(err, code, "no memory to split a trace of %zu live objects into %u lanes",
                   objects, lanes);
}

void split_release(struct split *split)
{
    pages_unmap(split->handovers, split->capacity * sizeof *split->handovers);
    pages_unmap(split->last, split->objects * sizeof *split->last);
    pages_unmap(split->places, split->objects * sizeof *split->places);
    pages_unmap(split->cursors, split->lanes * sizeof *split->cursors);
    slots_release(&split->slots);
}

void split_fold(struct split *split, unsigned lanes)
{
    split->lanes = lanes;
}

/* The counter comes round every few thousand windows. */
static void split_rebase(struct split *split, const struct window *window)
{
    if (split->base + window->operations + 1 < UINT32_MAX / 2)
        return;
    memset(split->last, 0, split->objects * sizeof *split->last);
    split->base = (uint32_t)window->capacity;
}

/* The operation at place `i` comes to a block. Returns the place of the operation by another lane
 * that it must wait for, or -1. */
static ptrdiff_t split_follows(struct split *split, const struct window *window, uint64_t word,
                               size_t i)
{
    uint32_t *last = &split->last[op_object(word)], before = *last;
    *last = op_kind(word) == OP_FREE ? 0 : split->base + 1 + (uint32_t)i;
    if (before <= split->base)
        return -1;
    size_t at = before - split->base - 1;
    return (window->threads[at] & SPLIT_LANE) == window->threads[i] ? -1 : (ptrdiff_t)at;
}

/* Who does what, and who waits for whom; leaves how many words each lane has in its cursor. */
static void split_mark(struct split *split, struct window *window)
{
    const uint64_t *op = window->words, *next;
    for (size_t i = 0; i < window->operations; i++, op = next) {
        struct operation operation;
        uint32_t lane = window->threads[i];
        if (lane >= split->lanes)
            window->threads[i] = lane %= split->lanes;
        next = op_read(op, &operation);
        split->cursors[lane] += (size_t)(next - op);
        ptrdiff_t before = split_follows(split, window, *op, i);
        if (before < 0)
            continue;
        split->cursors[lane]++;
        split->cursors[window->threads[before] & SPLIT_LANE]++;
        window->threads[before] |= SPLIT_GIVES;
        window->threads[i] |= SPLIT_TAKES;
    }
}

/* From counts to places: where each lane writes. */
static void split_lay_out(struct split *split, struct lane *lanes)
{
    size_t at = 0;
    for (unsigned lane = 0; lane < split->lanes; lane++) {
        size_t words = split->cursors[lane];
        lanes[lane].begin = split->words + at;
        lanes[lane].end = lanes[lane].begin + words;
        lanes[lane].operations = 0;
        split->cursors[lane] = at;
        at = (at + words + SPLIT_LINE - 1) / SPLIT_LINE * SPLIT_LINE;
    }
}

static uint64_t split_handover(enum op_kind kind, uint32_t number)
{
    return (uint64_t)number << 32 | kind;
}

/* The number of the operation's block. */
static uint32_t split_place(struct split *split, const struct operation *operation, uint32_t lane)
{
    uint32_t *place = &split->places[operation->object];
    if (operation->kind == OP_FREE)
        slots_give(&split->slots, lane, *place);
    else if (operation->kind != OP_REALLOC)
        *place = slots_take(&split->slots, lane);
    return *place;
}

static void split_write(struct split *split, const struct window *window, struct lane *lanes)
{
    const uint64_t *op = window->words, *next;
    for (size_t i = 0; i < window->operations; i++, op = next) {
        struct operation operation;
        uint32_t lane = window->threads[i] & SPLIT_LANE;
        uint64_t *to = split->words + split->cursors[lane];
        next = op_read(op, &operation);
        if (window->threads[i] & SPLIT_TAKES)
            *to++ = split_handover(OP_TAKE, split->last[operation.object]);
        *to++ = (uint64_t)split_place(split, &operation, lane) << 32 | (uint32_t)*op;
        while (++op < next)
            *to++ = *op;
        if (window->threads[i] & SPLIT_GIVES) {
            split->last[operation.object] = split->given;
            *to++ = split_handover(OP_GIVE, split->given++);
        }
        split->cursors[lane] = (size_t)(to - split->words);
        lanes[lane].operations++;
        window->threads[i] = lane;
    }
}

void split_window(struct split *split, struct window *window, struct lane *lanes)
{
    split_rebase(split, window);
    memset(split->handovers, 0, split->given * sizeof *split->handovers);
    memset(split->cursors, 0, split->lanes * sizeof *split->cursors);
    split->given = 0;
    split_mark(split, window);
    split_lay_out(split, lanes);
    split_write(split, window, lanes);
    slots_settle(&split->slots);
    split->base += (uint32_t)window->operations + 1;
}
