/* Standard streams of a child that is to be neither heard nor fed. */
#include "harness/silence.h"

#include <fcntl.h>
#include <unistd.h>

void silence(int errors)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(errors < 0 ? null : errors, STDERR_FILENO);
}
