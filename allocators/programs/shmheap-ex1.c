/* shmheap-ex1 N: one process writes an object into a shared heap and sends its handle through pipes
 * to N readers, each of which looks whether it sees the same data. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "shmheap.h"

enum { HEAP_BYTES = 8192, VALUES = 256, READERS_MAX = 10000 };

static size_t ex1_value(size_t place)
{
    return place * 40503u + 17u;
}

/* In the reader: 0 when the object is what was written. */
static int ex1_read(const char *name, int pipe_end)
{
    shmheap_object_handle handle;
    if (read(pipe_end, &handle, sizeof handle) != sizeof handle)
        return 1;
    shmheap_memory_handle heap = shmheap_connect(name);
    const size_t *values = shmheap_handle_to_ptr(heap, handle);
    size_t good = 0;
    while (values && good < VALUES && values[good] == ex1_value(good))
        good++;
    if (values)
        shmheap_disconnect(heap);
    printf("Child [pid = %d] %s\n", (int)getpid(),
           good == VALUES ? "received data successfully" : "received wrong data");
    return good != VALUES;
}

/* The pipe's end to write to, or -1. */
static int ex1_start_reader(const char *name)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        int status = ex1_read(name, ends[0]);
        fflush(stdout);
        _exit(status);
    }
    close(ends[0]);
    if (child > 0)
        return ends[1];
    close(ends[1]);
    return -1;
}

static int ex1_send(const char *name, shmheap_object_handle handle, unsigned long readers)
{
    int failed = 0;
    for (unsigned long i = 0; i < readers && !failed; i++) {
        int end = ex1_start_reader(name);
        if (end < 0 || write(end, &handle, sizeof handle) != sizeof handle) {
            fprintf(stderr, "shmheap-ex1: cannot start reader %lu: %s\n", i + 1, strerror(errno));
            failed = 1;
        }
        if (end >= 0)
            close(end);
    }
    for (int status; wait(&status) > 0;)
        failed |= status != 0;
    return failed;
}

static int ex1_run(const char *name, unsigned long readers)
{
    shmheap_memory_handle heap = shmheap_create(name, HEAP_BYTES);
    size_t *values = shmheap_alloc(heap, VALUES * sizeof *values);
    if (!values) {
        fprintf(stderr, "shmheap-ex1: cannot create the shared heap %s: %s\n", name,
                strerror(errno));
        return 1;
    }
    for (size_t i = 0; i < VALUES; i++)
        values[i] = ex1_value(i);
    int failed = ex1_send(name, shmheap_ptr_to_handle(heap, values), readers);
    shmheap_destroy(name, heap);
    return failed;
}

int main(int count, char **arguments)
{
    char *end = NULL;
    unsigned long readers = count == 2 ? strtoul(arguments[1], &end, 10) : 0;
    if (!end || *end || arguments[1][0] == '-' || readers < 1 || readers > READERS_MAX) {
        fprintf(stderr, "shmheap-ex1: give the number of readers: shmheap-ex1 N, from 1 to %d\n",
                READERS_MAX);
        return 2;
    }
    struct timespec now;
    char name[64];
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(name, sizeof name, "/heapbench-ex1-%d-%ld", (int)getpid(), now.tv_nsec);
    signal(SIGPIPE, SIG_IGN);
    return ex1_run(name, readers);
}
