/* A worker that takes a page more each time it decodes: what must not go unnoticed. Linked into the
 * worker in place of window_fill (ld's --wrap). */
#include "harness/base/pages.h"
#include "harness/measure/window.h"

int __real_window_fill(struct window *window, struct err *err);
int __wrap_window_fill(struct window *window, struct err *err);

int __wrap_window_fill(struct window *window, struct err *err)
{
    enum { PAGE = 4096 };
    char *grown = pages_map_lazy(PAGE);
    if (grown)
        *grown = 1;
    return __real_window_fill(window, err);
}
