/* bench list: what can be measured. */
#include <stdio.h>

#include "harness/commands/commands.h"

int command_list(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return STATUS_DONE;
}
