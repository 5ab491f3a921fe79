/* Small blocks that stay between large ones that go: each keeps a page. */
#include <stdlib.h>
#include <unistd.h>

enum { COUNT = 1000 };
static char *kept[COUNT], *gone[COUNT];

__attribute__((noinline)) char *xmalloc(size_t size)
{
    char *p = malloc(size);
    if (!p)
        abort();
    *p = 1;
    return p;
}
__attribute__((noinline)) char *parse_config(void)
{
    char *p = xmalloc(48);
    *p = 2;
    return p;
}
__attribute__((noinline)) char *read_file(void)
{
    char *p = xmalloc(4000);
    *p = 3;
    return p;
}

int main(void)
{
    for (int i = 0; i < COUNT; i++) {
        kept[i] = parse_config();
        gone[i] = read_file();
    }
    usleep(20000);
    for (int i = 0; i < COUNT; i++)
        free(gone[i]);
    return kept[0] == gone[0];
}
