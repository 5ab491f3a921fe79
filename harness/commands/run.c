/* bench run: measure and compare. */
#include <stdio.h>

#include "harness/commands/commands.h"

int command_run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return STATUS_DONE;
}
