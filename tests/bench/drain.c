/* What turning records into a trace costs, apart from the program that makes them. `keep` keeps a
 * program's records (the variable RECORDER names the preloaded library); they are then drained
 * again and again: time an event, the least and the median, which is the processor's, or with
 * `split`, on two threads, the wall's.
 *
 *     drain keep RECORDS COMMAND [ARGUMENT...]
 *     drain ROUNDS RECORDS FILE.trace [split] */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "workloads/recording.h"

enum { ROUNDS_MOST = 1000, POLL_US = 200 };

static void quit(const char *what, const struct err *err)
{
    fprintf(stderr, "drain: %s%s%s\n", what, err ? ": " : "", err ? err->text : "");
    exit(2);
}

static void become(const struct spool *spool, char **command)
{
    setenv("LD_PRELOAD", getenv("RECORDER"), 1);
    setenv(SPOOL_ENVIRONMENT, spool->path, 1);
    spool->control->root_pid = getpid();
    if (freopen("/dev/null", "w", stdout))
        execvp(command[0], command);
    quit("the command cannot be started", NULL);
}

static size_t used_bytes(const struct spool_control *control)
{
    return SPOOL_FIRST + (size_t)atomic_load(&control->fresh) * SPOOL_CHUNK_BYTES;
}

/* Records the command without draining. */
static int keep(const char *path, char **command)
{
    struct err err = {0};
    struct spool spool;
    if (spool_create(&spool, &err))
        quit("no spool", &err);
    pid_t pid = fork();
    if (!pid)
        become(&spool, command);
    spool.control->root_pid = pid;
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        spool_extend(&spool);
        usleep(POLL_US);
    }
    FILE *file = fopen(path, "w");
    size_t bytes = used_bytes(spool.control);
    if (atomic_load(&spool.control->lost) || !file || fwrite(spool.control, bytes, 1, file) != 1)
        quit("the records do not fit", NULL);
    fclose(file);
    spool_destroy(&spool);
    return 0;
}

/* A spool as it was kept. */
static void load(struct spool *spool, const struct spool_control *kept)
{
    struct err err = {0};
    if (spool_create(spool, &err))
        quit("no spool", &err);
    struct spool_control *control = spool->control;
    while (atomic_load(&control->allocated) < atomic_load(&kept->fresh)) {
        atomic_store(&control->held, atomic_load(&control->allocated));
        spool_extend(spool);
    }
    memcpy((void *)control, kept, used_bytes(kept));
}

static bool is_over(pid_t pid, void *arg)
{
    (void)pid, (void)arg;
    return true;
}

struct drained {
    double step_ns, finish_ns;
    uint64_t events;
};

static struct drained drain(const struct spool_control *kept, const char *path, bool split)
{
    struct err err = {0};
    struct spool spool;
    struct recording *recording;
    const struct recording_plan plan = {.path = path, .origin = {.columns = TRACE_HAS_THREADS}};
    load(&spool, kept);
    if (recording_create(&recording, &spool, &plan, &err))
        quit("no recording", &err);
    recording_set_root(recording, kept->root_pid);
    if (split)
        recording_split(recording);
    uint64_t (*const now)(void) = split ? clock_ns : clock_thread_ns;
    uint64_t start = now();
    if (recording_step(recording, is_over, NULL, &err) ||
        recording_step(recording, is_over, NULL, &err))
        quit("not drained", &err);
    uint64_t stepped = now();
    if (recording_finish(recording, &(struct recording_cost){0}, &err))
        quit("not finished", &err);
    struct drained drained = {(double)(stepped - start), (double)(now() - stepped),
                              recording_result(recording, 0).events};
    recording_destroy(recording);
    spool_destroy(&spool);
    return drained;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void drain_again(int rounds, const struct spool_control *kept, const char *path, bool split)
{
    static double each[ROUNDS_MOST];
    struct drained drained = {0};
    for (int i = 0; i < rounds; i++) {
        unlink(path);
        drained = drain(kept, path, split);
        each[i] = drained.step_ns / (double)(drained.events ? drained.events : 1);
    }
    qsort(each, (size_t)rounds, sizeof *each, by_value);
    printf("%llu events, %.1f ns an event (median %.1f), and %.2f ms at the end\n",
           (unsigned long long)drained.events, each[0], each[rounds / 2], drained.finish_ns / 1e6);
}

int main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[1], "keep") == 0 && getenv("RECORDER"))
        return keep(argv[2], argv + 3);
    bool split = argc == 5 && strcmp(argv[4], "split") == 0;
    int rounds = argc == 4 || split ? atoi(argv[1]) : 0;
    int file = argc > 2 ? open(argv[2], O_RDONLY) : -1;
    if (rounds < 1 || rounds > ROUNDS_MOST || file < 0)
        quit("drain keep RECORDS COMMAND..., with RECORDER set, or drain ROUNDS RECORDS FILE.trace "
             "[split]",
             NULL);
    off_t bytes = lseek(file, 0, SEEK_END);
    void *kept = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, file, 0);
    if (kept == MAP_FAILED)
        quit("the records cannot be read", NULL);
    drain_again(rounds, kept, argv[3], split);
    return 0;
}
