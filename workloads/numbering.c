/* Numbers of objects: new ones at the bottom of the stack. */
#include "workloads/numbering.h"

#include <errno.h>

int numbering_grow(struct numbering *numbering, uint32_t more)
{
    uint64_t needed = (uint64_t)numbering->live + more + 1;
    if (needed > NUMBERING_MOST || array_reserve(&numbering->stack, needed * sizeof(uint32_t)))
        return -ENOMEM;
    /* The place below the last number may be looked at. */
    uint64_t room = numbering->stack.bytes / sizeof(uint32_t) - 1;
    uint32_t ready = room < NUMBERING_MOST ? (uint32_t)room : NUMBERING_MOST;
    if (array_reserve(&numbering->lives, ready))
        return -ENOMEM;
    for (uint32_t i = numbering->ready; i < ready; i++)
        numbering_stack(numbering)[i] = i;
    numbering->ready = ready;
    return 0;
}
