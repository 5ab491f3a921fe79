/* mmf-demo SIZE: two processes map one file of SIZE bytes, each fills one half and looks for what
 * the other wrote. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "mmf.h"

static size_t demo_value(size_t place, int writer)
{
    return (place + 1) * 2654435761u + (size_t)writer;
}

/* A half is the writer's: the first A's (0), the second B's (1). */
static void demo_write(size_t *words, size_t count, int writer)
{
    for (size_t i = 0; i < count / 2; i++)
        words[(size_t)writer * (count / 2) + i] = demo_value(i, writer);
}

static int demo_check(const size_t *words, size_t count, int writer)
{
    for (size_t i = 0; i < count / 2; i++)
        if (words[(size_t)writer * (count / 2) + i] != demo_value(i, writer))
            return 1;
    return 0;
}

/* Returns the child's status: 0 when it saw what the other wrote. `tell` and `hear` are the ends of
 * pipes: each writes a byte when its half is filled, and waits for the other's. */
static int demo_child(const char *path, size_t size, int who, int tell, int hear)
{
    size_t *words = mmf_create_or_open(path, size);
    if (!words) {
        fprintf(stderr, "mmf-demo: cannot map %s with %zu bytes: %s\n", path, size,
                strerror(errno));
        return 1;
    }
    size_t count = size / sizeof *words;
    char ready = 'r';
    demo_write(words, count, who);
    int status = 1;
    if (write(tell, &ready, 1) == 1 && read(hear, &ready, 1) == 1)
        status = demo_check(words, count, !who);
    mmf_close(words, size);
    return status;
}

static int demo_report(pid_t child, char name)
{
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        printf("Child %c did not receive the data\n", name);
        return 1;
    }
    printf("Child %c received data successfully\n", name);
    return 0;
}

/* Each child keeps only its own ends, so that the other's death is an end of file. */
static pid_t demo_start(const char *path, size_t size, int who, int pipes[2][2])
{
    pid_t child = fork();
    if (child != 0)
        return child;
    close(pipes[!who][1]);
    close(pipes[who][0]);
    _exit(demo_child(path, size, who, pipes[who][1], pipes[!who][0]));
}

static int demo_run(const char *path, size_t size)
{
    int pipes[2][2];
    pid_t children[2];
    signal(SIGPIPE, SIG_IGN);
    if (pipe(pipes[0]) != 0 || pipe(pipes[1]) != 0) {
        fprintf(stderr, "mmf-demo: no pipe: %s\n", strerror(errno));
        return 1;
    }
    for (int who = 0; who < 2; who++)
        children[who] = demo_start(path, size, who, pipes);
    for (int who = 0; who < 2; who++) {
        close(pipes[who][0]);
        close(pipes[who][1]);
    }
    int failed = demo_report(children[0], 'A');
    return demo_report(children[1], 'B') | failed;
}

/* 0: not a size that can be mapped as a whole. */
static size_t demo_size(const char *text)
{
    char *end;
    errno = 0;
    unsigned long long size = strtoull(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end || size > SIZE_MAX / 2 ||
        size % (size_t)sysconf(_SC_PAGESIZE) != 0)
        return 0;
    return (size_t)size;
}

int main(int count, char **arguments)
{
    size_t size = count == 2 ? demo_size(arguments[1]) : 0;
    if (!size) {
        fprintf(stderr, "mmf-demo: give the file's size: mmf-demo SIZE, a multiple of %ld bytes\n",
                sysconf(_SC_PAGESIZE));
        return 2;
    }
    const char *folder = getenv("TMPDIR");
    char path[4096];
    int length = snprintf(path, sizeof path - 16, "%s/heapbench-mmf-XXXXXX",
                          folder && *folder ? folder : "/tmp");
    int file = length < (int)sizeof path - 16 ? mkstemp(path) : -1;
    if (file < 0) {
        fprintf(stderr, "mmf-demo: cannot create a file in %s: %s\n", folder ? folder : "/tmp",
                strerror(errno));
        return 1;
    }
    close(file);
    unlink(path); /* the children shall create it; only the name was wanted */
    int status = demo_run(path, size);
    unlink(path);
    return status;
}
