/* shmheap-ex3: processes on one shared heap, driven by commands from standard input;
 * a line is a set of commands, separated by |, executed simultaneously. */
#include "allocators/programs/support/script.h"

int main(void)
{
    return script_run("shmheap-ex3", true);
}
