/* A growing array in memory of harness/base/pages.h, for code that must not malloc. */
#ifndef WORKLOADS_ARRAY_H
#define WORKLOADS_ARRAY_H

#include <stddef.h>

struct array {
    void *at;     /* owned; zero beyond what was written */
    size_t bytes; /* mapped */
};

/* The rare half of array_reserve. */
int array_grow(struct array *array, size_t bytes);

/* Makes room for at least `bytes` in all, moving the contents where they must; at least doubles
 * what there is, so that growth is paid once. 0 or -ENOMEM, the array left as it was. A zeroed
 * struct is empty. */
static inline int array_reserve(struct array *array, size_t bytes)
{
    return bytes <= array->bytes ? 0 : array_grow(array, bytes);
}

/* The same in private memory, in huge pages as it gets large, for processes that measure nothing.
 */
int array_grow_private(struct array *array, size_t bytes);

static inline int array_reserve_private(struct array *array, size_t bytes)
{
    return bytes <= array->bytes ? 0 : array_grow_private(array, bytes);
}

void array_release(struct array *array);

#endif
