/* The maxima: the way to the first group that fits, and lowering what was left too high. */
#include "allocators/shm/largest.h"

void largest_settle(struct space *space, uint64_t node)
{
    int32_t value = largest_of_node(largest_level(space, 0) + (node << LARGEST_FAN_LOG2));
    for (unsigned level = 1; level < SPACE_LEVELS; level++, node >>= LARGEST_FAN_LOG2) {
        int32_t *number = largest_level(space, level) + node;
        if (*number == value)
            return;
        *number = value;
        value = largest_of_node(number - node % LARGEST_FAN);
    }
}

uint64_t largest_find_after(struct space *space, uint64_t from, int32_t least)
{
    unsigned level = 1;
    bool descended = false;
    from = (from >> LARGEST_FAN_LOG2) + 1;
    for (;;) {
        uint64_t first = from & ~(uint64_t)(LARGEST_FAN - 1);
        const int32_t *node = largest_level(space, level) + first;
        unsigned lanes = largest_at_least(node, least) & (~0u << from % LARGEST_FAN);
        if (lanes) {
            from = first + (unsigned)__builtin_ctz(lanes);
            if (level == 0)
                return from;
            level--;
            from <<= LARGEST_FAN_LOG2;
            descended = true;
            continue;
        }
        if (level + 1 == SPACE_LEVELS)
            return SPACE_NONE;
        level++;
        from >>= LARGEST_FAN_LOG2;
        if (descended) /* to a node of groups, of which the maximum was too high */
            largest_settle(space, from);
        descended = false;
        from++;
    }
}
