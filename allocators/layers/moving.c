/* moving: every realloc moves: a new block, a copy, and the old one freed. To see what growing in
 * place is worth, and to compare with studies that replayed realloc so. */
#include <errno.h>

#include "allocators/layer.h"

static int moving_wrap(struct heap *inner, const union option_value *values, struct heap **out,
                       struct err *err)
{
    (void)values;
    struct layer_heap *moving = layer_create(inner, sizeof *moving, "moving", err);
    if (!moving)
        return -ENOMEM;
    /* Without the hook heap_realloc does just that. */
    moving->table.realloc = NULL;
    *out = &moving->heap;
    return 0;
}

const struct layer layer_moving = {
    .name = "moving",
    .summary = "every realloc moves: a new block, a copy, and the old one freed",
    .wrap = moving_wrap,
};
