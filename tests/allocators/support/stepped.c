/* Processes that are led through a call instruction by instruction. */
#include "tests/allocators/support/stepped.h"

#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit.h"

bool stepped_is_allowed(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0);
    return waitpid(child, &status, 0) == child && status == 0;
}

/* The child stops before the call and after it by SIGSTOP. */
pid_t stepped_start(void (*call)(const void *), const void *argument)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(1);
        raise(SIGSTOP);
        call(argument);
        raise(SIGSTOP);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    return child;
}

static bool stepped_goes_on(int status)
{
    return WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

bool stepped_step(pid_t child)
{
    int status;
    return ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
           waitpid(child, &status, 0) == child && stepped_goes_on(status);
}

enum stepped stepped_step_or_sleep(pid_t child)
{
    int status;
    if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0)
        return STEPPED_OVER;
    for (unsigned looks = 1;; looks++) {
        if (waitpid(child, &status, WNOHANG) == child)
            return stepped_goes_on(status) ? STEPPED_ON : STEPPED_OVER;
        if (looks % 64 == 0 && stepped_sleeps(child))
            return STEPPED_ASLEEP;
    }
}

bool stepped_is_awake(pid_t child)
{
    int status;
    return waitpid(child, &status, WNOHANG) == child;
}

static long stepped_peek(pid_t child, const void *address)
{
    return ptrace(PTRACE_PEEKDATA, child, address, NULL);
}

struct stepped_locks stepped_locks(pid_t child)
{
    struct robust_list_head *head;
    size_t length;
    assert_int_equal(syscall(SYS_get_robust_list, child, &head, &length), 0);
    return (struct stepped_locks){stepped_peek(child, &head->list),
                                  stepped_peek(child, &head->list_op_pending)};
}

void stepped_kill(pid_t child)
{
    int status = -1;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, SIGKILL);
}

bool stepped_sleeps(pid_t process)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    fclose(file);
    return state == 'S';
}
