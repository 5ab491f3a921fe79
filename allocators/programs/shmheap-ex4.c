/* shmheap-ex4: processes on one shared heap, driven by commands from standard input;
 * as shmheap-ex3; the heap may be given less memory than the commands
 * need, and grows. */
#include "allocators/programs/support/script.h"

int main(void)
{
    return script_run("shmheap-ex4", true);
}
