/* A child process of which the parent learns whether its exec succeeded: the pipe closes on exec.
 */
#include "harness/start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int start_child(int (*become)(void *arg), void *arg, pid_t *child)
{
    int report[2], code;
    if (pipe2(report, O_CLOEXEC) < 0)
        return errno;
    *child = fork();
    if (*child == 0) {
        signal(SIGXFSZ, SIG_DFL); /* as the child would have it without bench */
        code = become(arg);
        ssize_t ignored = write(report[1], &code, sizeof code);
        (void)ignored;
        _exit(127);
    }
    code = *child < 0 ? errno : 0;
    close(report[1]);
    if (*child > 0 && read(report[0], &code, sizeof code) == sizeof code)
        waitpid(*child, NULL, 0);
    close(report[0]);
    return code;
}
