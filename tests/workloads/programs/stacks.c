/* stacks: allocates from frames of many shapes, and prints for each the functions of this program
 * on the stack as the C library's unwinder sees them, the innermost first. */
#include <alloca.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile sink;
static volatile int told; /* keeps calls from becoming jumps */

__attribute__((noinline)) static void tell(void)
{
    void *frames[32];
    int count = backtrace(frames, 32);
    for (int i = 1; i < count; i++) {
        Dl_info info;
        if (dladdr(frames[i], &info) && info.dli_sname && strstr(info.dli_fname, "stacks"))
            puts(info.dli_sname);
    }
}

/* One stack in both: the allocation's call site and the unwinder's lie in the same functions. */
__attribute__((noinline)) void leaf(size_t size)
{
    sink = malloc(size);
    tell();
    told++;
}

__attribute__((noinline)) void moving_stack(size_t size)
{
    char *room = alloca(size * 16);
    memset(room, 1, size);
    sink = room;
    leaf(size);
    told++;
}

__attribute__((noinline)) void many_registers(int a, int b, int c, int d, int e, int f, int g)
{
    leaf((size_t)(a * b + c * d + e * f + g));
    told += a + b + c + d + e + f + g;
}

__attribute__((noinline, optimize("no-omit-frame-pointer"))) void framed(size_t size)
{
    moving_stack(size);
    told++;
}

__attribute__((noinline)) void recursive(int depth)
{
    if (depth)
        recursive(depth - 1);
    else
        framed(33);
    told++;
}

int compare(const void *a, const void *b)
{
    leaf(44);
    return *(const int *)a - *(const int *)b;
}

int main(void)
{
    static char buffer[1 << 16];
    int pair[] = {2, 1};
    void *frame[1];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    backtrace(frame, 1); /* loads what it needs now */
    leaf(11);
    moving_stack(22);
    recursive(5);
    many_registers(1, 2, 3, 4, 5, 6, 7);
    qsort(pair, 2, sizeof *pair, compare);
    return 0;
}
