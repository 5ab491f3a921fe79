/* bench-worker FD: measures one cell and ends.
 *
 * It is started by bench with the cell's description in a memory that both share (area.h), the
 * allocator's library preloaded and its environment set. Before the first event it has mapped and
 * touched everything of its own; nothing in it calls malloc but the replay. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/pages.h"
#include "harness/worker/worker.h"

static struct worker the_worker;

static uint64_t worker_vsz(void)
{
    struct proc_sizes sizes = {0};
    proc_sizes(&sizes);
    return sizes.vsz;
}

/* Runs before the constructor of any library, so that what an allocator maps at its start counts as
 * the heap's. Sanitizers are not ready that early. */
static void worker_baseline(void)
{
    maps_baseline(&the_worker.baseline);
    the_worker.baseline_vsz = worker_vsz();
}
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
__attribute__((constructor)) static void worker_constructor(void)
{
    worker_baseline();
}
#else
__attribute__((section(".preinit_array"),
               used)) static void (*const worker_preinit)(void) = worker_baseline;
#endif

/* The stack that the replay may need is faulted in before it starts. Allocators need little; what
 * looks at memory between the operations needs more. */
static __attribute__((noinline)) void worker_touch_stack(enum pass pass)
{
    volatile char stack[256 << 10];
    size_t bytes = pass == PASS_THROUGHPUT ? sizeof stack / 4 : sizeof stack;
    for (size_t i = sizeof stack - bytes; i < sizeof stack; i += 1024)
        stack[i] = 0;
}

/* Blocks that are not real cannot be written, and memory that is never freed must fit. */
static int worker_check_abilities(struct worker *worker)
{
    const struct allocator *allocator = worker->heap->ops;
    const struct trace_summary *summary = worker_summary(worker);
    const struct request *request = &worker->area->request;
    if (allocator_has(allocator, ALLOCATOR_NOT_REAL)) {
        worker->touch = TOUCH_NONE;
        if (request->pass == PASS_VERIFY)
            return worker_refuse(worker, "skipped: not a real allocator",
                                 "%s gives out blocks that overlap or cannot be written",
                                 allocator->name);
    }
    if (summary->max_align > allocator->align && !heap_can_align(allocator, summary->max_align))
        return worker_refuse(worker, "skipped: cannot align",
                             "%s cannot align to %llu, which the trace asks for", allocator->name,
                             (unsigned long long)summary->max_align);
    if (!allocator_has(allocator, ALLOCATOR_NO_FREE))
        return 0;
    uint64_t room = request->memory_limit ? request->memory_limit
                                          : proc_kilobytes("/proc/meminfo", "MemAvailable:");
    if (summary->total_bytes > room && worker->touch != TOUCH_NONE)
        return worker_refuse(worker, "skipped: no free()",
                             "%s has no free(), and the trace asks for %llu bytes in all, more "
                             "than the %llu there are",
                             allocator->name, (unsigned long long)summary->total_bytes,
                             (unsigned long long)room);
    if (!allocator_has(allocator, ALLOCATOR_NOT_REAL))
        worker_note(worker, "%s has no free(): its memory only grows", allocator->name);
    return 0;
}

/* A heap for one thread at a time gets a mutex, as a program with threads would have to give it;
 * those who take turns need none. */
static int worker_serialise(struct worker *worker, struct err *err)
{
    const struct allocator *allocator = worker->heap->ops;
    if (worker->crew.count == 1 || allocator->threads == THREADS_ANY)
        return 0;
    if (allocator->threads == THREADS_OWNER)
        return worker_refuse(worker, "skipped: one thread allocates",
                             "%s lets only the thread that created it allocate; --threads 1 "
                             "replays all on one",
                             allocator->name);
    if (lanes_take_turns(worker))
        return 0;
    worker_note(worker, "for one thread at a time, so a mutex was laid around it (+locked)");
    return layer_locked.wrap(worker->heap, NULL, &worker->heap, err);
}

static int worker_check_shared(struct worker *worker)
{
    const struct request *request = &worker->area->request;
    if (request->processes < 2 || worker->heap->ops->attach)
        return 0;
    return worker_refuse(worker, "skipped: not shared",
                         "%s is not shared between processes; 'bench list' names those that are",
                         request->spec);
}

static int worker_create_heap(struct worker *worker, struct err *err)
{
    const struct request *request = &worker->area->request;
    int status =
        spec_create(&worker->spec, &worker->region,
                    lanes_are_processes(worker) ? request->shared_name : NULL, &worker->heap, err);
    if (status < 0)
        return worker_refuse(worker, "failed: the heap cannot be created", "%s", err->text);
    status = worker_check_shared(worker);
    if (status == 0)
        status = worker_serialise(worker, err);
    if (status < 0)
        return status;
    strcpy(worker->result->realloc, worker->heap->ops->realloc ? "native" : "emulated");
    return 0;
}

static int worker_open_window(struct worker *worker, struct err *err)
{
    static const size_t wanted[PASS_KINDS] = {
        [PASS_THROUGHPUT] = WINDOW_WORDS,  [PASS_LATENCY] = 2 * WINDOW_WORDS,
        [PASS_MEMORY] = WINDOW_WORDS / 2,  [PASS_VERIFY] = WINDOW_WORDS / 2,
        [PASS_MOMENTS] = WINDOW_WORDS / 2,
    };
    enum pass pass = worker->area->request.pass;
    const struct trace_summary *summary = worker_summary(worker);
    if (!summary)
        return err_set(err, EINVAL,
                       "%.300s has no footer, so it was cut short: 'bench trace cut' makes a whole "
                       "trace of what is left",
                       worker->area->request.trace);
    return lanes_prepare(worker, wanted[pass], err);
}

/* Everything of our own is mapped and touched here, before the heap exists. */
static int worker_prepare(struct worker *worker, struct err *err)
{
    const struct request *request = &worker->area->request;
    worker->touch = request->touch;
    int status = spec_parse(&worker->spec, request->spec, err);
    if (status == 0)
        status = trace_reader_open(&worker->reader, request->trace, err);
    if (status == 0)
        status = worker_open_window(worker, err);
    if (status < 0)
        return status;
    worker_touch_stack(request->pass);
    maps_touch_files();
    if (request->pass == PASS_THROUGHPUT)
        counters_open(&worker->counters, counter_events);
    if (request->pass == PASS_VERIFY && verify_prepare(worker, err) < 0)
        return -err->code;
    if (request->probe && probe_prepare(worker, err) < 0)
        return -err->code;
    lanes_start(worker);
    return 0;
}

static int worker_measure(struct worker *worker, struct err *err)
{
    static int (*const passes[PASS_KINDS])(struct worker *, struct err *) = {
        [PASS_THROUGHPUT] = throughput_pass, [PASS_LATENCY] = latency_pass,
        [PASS_MEMORY] = memory_pass,         [PASS_VERIFY] = verify_pass,
        [PASS_MOMENTS] = moments_pass,
    };
    static const char *const touches[TOUCHES] = {"none", "first", "page", "all", "recorded"};
    int status = worker_check_abilities(worker);
    if (status == 0 && lanes_enter(worker, err) < 0)
        status = worker_refuse(worker, "failed: the heap cannot be entered", "%s", err->text);
    if (status < 0)
        return status;
    strcpy(worker->result->touch, touches[worker->touch]);
    strcpy(worker->result->decoding, "between windows");
    worker_count(worker);
    const struct request *request = &worker->area->request;
    status = (request->probe ? probe_pass : passes[request->pass])(worker, err);
    if (worker->result->status[0] == '\0' && status == 0)
        strcpy(worker->result->status, "ok");
    return status;
}

static int worker_run(struct worker *worker, struct err *err)
{
    worker->area->stage = STAGE_PREPARING;
    int status = worker_prepare(worker, err);
    worker->own_vsz = worker_vsz() - worker->library_vsz;
    if (status == 0)
        status = identity_check(worker);
    if (status == 0)
        status = worker_create_heap(worker, err);
    if (status < 0)
        return status;
    status = worker_measure(worker, err);
    worker->area->stage = STAGE_CLOSING;
    crew_stop(&worker->crew);
    heap_destroy(worker->heap);
    return status;
}

/* Only here, after the libraries' constructors: a preloaded allocator counts the processors there,
 * and would have one arena for all threads if it saw but one. */
static void worker_pin(void)
{
    cpu_set_t allowed, last;
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        return;
    for (int core = CPU_SETSIZE - 1; core >= 0; core--)
        if (CPU_ISSET(core, &allowed)) {
            CPU_ZERO(&last);
            CPU_SET(core, &last);
            sched_setaffinity(0, sizeof last, &last);
            return;
        }
}

int main(int argc, char **argv)
{
    struct stat info;
    int fd = argc == 2 ? atoi(argv[1]) : -1;
    if (fd < 0 || fstat(fd, &info) < 0)
        return 2;
    struct worker *worker = &the_worker;
    worker_pin();
    worker->fd = fd;
    worker->library_vsz = worker_vsz() - worker->baseline_vsz;
    worker->area =
        mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (worker->area == MAP_FAILED)
        return 2;
    if (worker->area->layout != area_layout())
        return AREA_UNKNOWN_LAYOUT;
    worker->result = &worker->area->result;
    if (readlink("/proc/self/exe", worker->program, sizeof worker->program - 1) < 0)
        return 2;
    struct err err = {0};
    int status = worker_run(worker, &err);
    if (status < 0 && status != -ECANCELED)
        worker->area->failure = err;
    worker->area->stage = STAGE_DONE;
    /* Not exit(): the allocator's own leave-taking is not what is measured. */
    _exit(0);
}
