/* shmheap-ex2: processes on one shared heap, driven by commands from standard input;
 * one command a line, each when the one before is done. */
#include "allocators/programs/support/script.h"

int main(void)
{
    return script_run("shmheap-ex2", false);
}
