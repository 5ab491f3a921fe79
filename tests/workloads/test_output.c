/* A signal that comes just as a file is made. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workloads/output.h"

/* Set in the child alone. */
static bool is_interrupted;

/* The library's, with the signal directly behind it. */
int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    unsigned mode = flags & O_CREAT ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    int kept = errno;
    if (is_interrupted)
        kill(getpid(), SIGHUP);
    errno = kept;
    return fd;
}

/* How a child that writes `path` ended, interrupted as it opened it. */
static int interrupted(const char *path)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct output output;
        struct err err = {0};
        is_interrupted = true;
        signal(SIGHUP, SIG_DFL);
        if (output_open(&output, path, &err) == 0)
            pause();
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void signal_behind_the_opening(void **state)
{
    (void)state;
    char folder[] = "/tmp/heapbench-output-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    int status = interrupted("o.trace");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGHUP);
    assert_int_not_equal(access("o.trace.part", F_OK), 0);

    int other = open("o.trace.part", O_WRONLY | O_CREAT, 0600);
    assert_true(other >= 0);
    status = interrupted("o.trace");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(access("o.trace.part", F_OK), 0);
    close(other);
    unlink("o.trace.part");
    assert_int_equal(chdir("/"), 0);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signal_behind_the_opening)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
