/* What comes just as a file is made: a signal, another who looks at it. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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
    unsigned mode = __OPEN_NEEDS_MODE(flags) ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    int kept = errno;
    if (is_interrupted)
        kill(getpid(), SIGHUP);
    errno = kept;
    return fd;
}

static bool was_named; /* as it was locked */

int flock(int fd, int operation)
{
    was_named = access("o.trace.part", F_OK) == 0;
    return (int)syscall(SYS_flock, fd, operation);
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

static void enter_folder(char *folder)
{
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
}

static void leave_folder(const char *folder)
{
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void signal_behind_the_opening(void **state)
{
    (void)state;
    char folder[] = "/tmp/heapbench-output-XXXXXX";
    enter_folder(folder);
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
    leave_folder(folder);
}

static void locked_before_it_is_named(void **state)
{
    (void)state;
    char folder[] = "/tmp/heapbench-output-XXXXXX";
    struct output output, second;
    struct err err = {0};
    enter_folder(folder);
    int nameless = open(".", O_WRONLY | O_TMPFILE, 0600);
    assert_int_equal(output_open(&output, "o.trace", &err), 0);
    assert_false(was_named && nameless >= 0);
    assert_int_equal(output_open(&second, "o.trace", &err), -EEXIST);
    assert_non_null(strstr(err.text, "o.trace.part is being written"));
    output_abandon(&output);
    leave_folder(folder);
    close(nameless);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signal_behind_the_opening),
                                       cmocka_unit_test(locked_before_it_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
