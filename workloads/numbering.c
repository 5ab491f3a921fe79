/* Numbers of objects: new ones at the end of the chain. */
#include "workloads/numbering.h"

#include <errno.h>

int numbering_grow(struct numbering *numbering, uint32_t more)
{
    uint64_t needed = (uint64_t)numbering->live + more;
    /* The last link names the number that will be made ready next. */
    if (needed >= NUMBERING_LIVE || array_reserve(&numbering->links, needed * sizeof(uint32_t)))
        return -ENOMEM;
    uint64_t room = numbering->links.bytes / sizeof(uint32_t);
    uint32_t ready = room < NUMBERING_LIVE - 1 ? (uint32_t)room : NUMBERING_LIVE - 1;
    for (uint32_t i = numbering->ready; i < ready; i++)
        numbering_links(numbering)[i] = i + 1;
    numbering->ready = ready;
    return 0;
}
