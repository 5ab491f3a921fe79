/* A growing array in memory of harness/base/pages.h, for code that must not malloc. */
#ifndef WORKLOADS_ARRAY_H
#define WORKLOADS_ARRAY_H

#include <stddef.h>

struct array {
    void *at;     /* owned; zero beyond what was written */
    size_t bytes; /* mapped */
};

/* Makes room for at least `bytes` in all, moving the contents where they must; at least doubles, so
 * that growth is paid once. 0 or -ENOMEM, the array left as it was. A zeroed struct is empty. */
int array_reserve(struct array *array, size_t bytes);

void array_release(struct array *array);

#endif
