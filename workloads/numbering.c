/* Numbers of objects: room for them. */
#include "workloads/numbering.h"

#include <errno.h>

int numbering_reserve(struct numbering *numbering, uint32_t more)
{
    uint64_t count = (uint64_t)numbering->used + more;
    if (count >= NUMBERING_NONE)
        return -ENOMEM;
    return array_reserve(&numbering->link, count * sizeof(uint32_t));
}
