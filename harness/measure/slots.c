/* The numbers of blocks in a threaded replay. */
#include "harness/measure/slots.h"

#include <errno.h>
#include <string.h>

#include "harness/base/pages.h"

#define SLOTS_NONE UINT32_MAX

/* Of N operations at most half free what was live before the window and cannot be taken again by
 * another lane; and each lane may hold the rest of a line. */
size_t slots_needed(size_t live, size_t operations, unsigned lanes)
{
    size_t count = live + operations / 2 + (size_t)lanes * SLOTS_LINE;
    return (count / SLOTS_LINE + 1) * SLOTS_LINE;
}

int slots_init(struct slots *slots, size_t count, unsigned lanes, struct err *err)
{
    *slots = (struct slots){.count = count, .lanes = lanes};
    slots->free = pages_map(count / SLOTS_LINE);
    slots->next = pages_map(count * sizeof *slots->next);
    slots->held = pages_map(lanes * sizeof *slots->held);
    if (!slots->free || !slots->next || !slots->held) {
        int code = errno;
        slots_release(slots);
        return err_set(err, code, "no memory to number %zu blocks", count);
    }
    memset(slots->free, 0xff, count / SLOTS_LINE);
    memset(slots->held, 0xff, lanes * sizeof *slots->held);
    return 0;
}

void slots_release(struct slots *slots)
{
    pages_unmap(slots->free, slots->count / SLOTS_LINE);
    pages_unmap(slots->next, slots->count * sizeof *slots->next);
    pages_unmap(slots->held, slots->lanes * sizeof *slots->held);
}

void slots_give(struct slots *slots, unsigned lane, uint32_t place)
{
    slots->next[place] = slots->held[lane];
    slots->held[lane] = place;
}

/* The next line with a free place becomes the lane's. */
static void slots_refill(struct slots *slots, unsigned lane)
{
    size_t lines = slots->count / SLOTS_LINE;
    while (slots->cursor < lines && !slots->free[slots->cursor])
        slots->cursor++;
    if (slots->cursor == lines)
        BUG("more than %zu blocks in a replay", slots->count);
    for (uint32_t bit = SLOTS_LINE; bit-- > 0;)
        if (slots->free[slots->cursor] >> bit & 1)
            slots_give(slots, lane, (uint32_t)slots->cursor * SLOTS_LINE + bit);
    slots->free[slots->cursor] = 0;
}

uint32_t slots_take(struct slots *slots, unsigned lane)
{
    if (slots->held[lane] == SLOTS_NONE)
        slots_refill(slots, lane);
    uint32_t place = slots->held[lane];
    slots->held[lane] = slots->next[place];
    return place;
}

static void slots_return(struct slots *slots, uint32_t place)
{
    size_t line = place / SLOTS_LINE;
    slots->free[line] |= (uint8_t)(1u << place % SLOTS_LINE);
    if (line < slots->cursor)
        slots->cursor = line;
}

void slots_settle(struct slots *slots)
{
    for (unsigned lane = 0; lane < slots->lanes; lane++) {
        for (uint32_t at = slots->held[lane]; at != SLOTS_NONE; at = slots->next[at])
            slots_return(slots, at);
        slots->held[lane] = SLOTS_NONE;
    }
}
