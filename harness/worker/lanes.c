/* The worker's lanes: how many there are, where they and their words lie, and what is told of them.
 */
#include "harness/worker/lanes.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/pages.h"
#include "harness/worker/worker.h"

bool lanes_take_turns(const struct worker *worker)
{
    const struct request *request = &worker->area->request;
    return request->pass == PASS_MEMORY || request->pass == PASS_MOMENTS || request->probe ||
           (request->pass == PASS_VERIFY && request->order == ORDER_RECORDED);
}

bool lanes_are_processes(const struct worker *worker)
{
    const struct request *request = &worker->area->request;
    bool closer = request->pass == PASS_MEMORY || request->pass == PASS_MOMENTS;
    return request->processes > 1 && !closer;
}

/* ---- preparing ------------------------------------------------------------------------------- */

static unsigned lanes_wanted(const struct worker *worker)
{
    uint64_t threads = worker_summary(worker)->threads;
    const struct request *request = &worker->area->request;
    unsigned asked = request->processes > 1 ? request->processes : request->threads;
    if (asked && asked < threads)
        threads = asked;
    return threads > LANES_MAX ? LANES_MAX : threads ? (unsigned)threads : 1;
}

/* Where one lane plays a throughput pass, words and tables are the worker's alone, in memory that
 * is mapped in a tenth of the time: the pass tells only what comes on top of it. A limit of data
 * would count that memory as the heap's. */
static bool lanes_are_quick(const struct worker *worker, unsigned lanes)
{
    const struct trace_summary *summary = worker_summary(worker);
    const struct request *request = &worker->area->request;
    return request->pass == PASS_THROUGHPUT && lanes == 1 && !request->memory_limit &&
           summary->objects <= summary->events && summary->objects < TRACE_NO_OBJECT;
}

static int lanes_open_quickly(struct worker *worker, size_t capacity, struct err *err)
{
    const struct trace_summary *summary = worker_summary(worker);
    size_t bytes = window_sizes(summary), words = (capacity * sizeof(uint64_t) + 63) / 64 * 64;
    char *at = pages_map_quick(words + 2 * bytes);
    if (!at)
        return err_set(err, errno, "no memory for a table of %llu live objects",
                       (unsigned long long)summary->objects);
    uint64_t *sizes = (uint64_t *)(void *)(at + words);
    worker->player->refs = (void **)(void *)(at + words + bytes);
    worker->area->words = (uint64_t *)(void *)at;
    worker->area->window_words = capacity;
    int status = window_init_with(&worker->window, worker->reader, (uint64_t *)(void *)at, capacity,
                                  sizes, err);
    if (status == 0 && worker->touch == TOUCH_RECORDED)
        status = window_want_touched(&worker->window, err);
    return status;
}

/* Lanes and words lie behind the area in the memory that the parent sees, so that after a crash it
 * can count how far the replay was. Returns the words. */
static uint64_t *lanes_map(struct worker *worker, unsigned lanes, size_t words)
{
    struct area *area = worker->area;
    size_t offset = area_size(area->request.pass);
    area->lanes_size = area_lanes_size(lanes);
    area->words_size = words * sizeof(uint64_t);
    size_t size = area->lanes_size + area->words_size;
    if (ftruncate(worker->fd, (off_t)(offset + size)) < 0)
        return NULL;
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, worker->fd,
                    (off_t)offset);
    if (at == MAP_FAILED)
        return NULL;
    worker->lanes = (struct lane *)(void *)at;
    worker->player = &worker->lanes->player;
    area->words = (uint64_t *)(void *)(at + area->lanes_size);
    area->lanes = lanes;
    return (uint64_t *)(void *)(at + area->lanes_size);
}

static int lanes_open_window(struct worker *worker, unsigned lanes, uint64_t *words,
                             size_t capacity, struct err *err)
{
    enum pass pass = worker->area->request.pass;
    uint32_t *threads = lanes > 1 ? pages_map(capacity * sizeof *threads) : NULL;
    if (!words || (lanes > 1 && !threads))
        return err_set(err, errno, "no memory for a window of %zu operations", capacity);
    int status =
        window_init(&worker->window, worker->reader, words, capacity,
                    pass == PASS_MEMORY || pass == PASS_MOMENTS || pass == PASS_LATENCY, err);
    if (status == 0 && threads)
        window_want_threads(&worker->window, threads);
    if (status == 0 && worker->touch == TOUCH_RECORDED)
        status = window_want_touched(&worker->window, err);
    return status;
}

/* At a window's end all lanes wait for the last: the longer the windows, the fewer waits. With all
 * that goes with a word (44 bytes, and 48 for stamps and places) they take less than 64 MiB. */
static size_t lanes_words(const struct worker *worker)
{
    enum { LONGEST = 1 << 20 };
    return worker->area->request.pass == PASS_LATENCY ? LONGEST / 2 : LONGEST;
}

/* The table of refs, where there is none yet. */
static int lanes_map_refs(struct worker *worker, struct err *err)
{
    size_t refs = crew_refs(&worker->crew, worker->window.objects + (size_t)1);
    if (!worker->player->refs)
        worker->player->refs = pages_map(refs * sizeof(void *));
    if (!worker->player->refs)
        return err_set(err, errno, "no memory for the table of %u live objects",
                       worker->window.objects);
    return 0;
}

/* Splits windows, or plays them as they are: `played` is where, `capacity` the words decoded. */
static int lanes_open(struct worker *worker, unsigned lanes, bool split, uint64_t *played,
                      size_t capacity, struct err *err)
{
    uint64_t *decoded = split && played ? pages_map(capacity * sizeof *decoded) : played;
    return lanes_open_window(worker, lanes, decoded, capacity, err);
}

int lanes_prepare(struct worker *worker, size_t words, struct err *err)
{
    const struct trace_summary *summary = worker_summary(worker);
    unsigned count = lanes_wanted(worker);
    bool split = count > 1 && !lanes_take_turns(worker), quick = lanes_are_quick(worker, count);
    size_t capacity = window_capacity(summary, split ? lanes_words(worker) : words);
    size_t shared = split ? split_words(capacity, count) : quick ? 0 : capacity;
    uint64_t *played = lanes_map(worker, count, shared);
    if (!played)
        return err_set(err, errno, "no memory for a window of %zu operations", capacity);
    int status = quick ? lanes_open_quickly(worker, capacity, err)
                       : lanes_open(worker, count, split, played, capacity, err);
    if (status < 0)
        return status;
    const struct crew_plan plan = {
        .lanes = worker->lanes,
        .count = count,
        .objects = worker->window.objects + (size_t)1,
        .capacity = capacity,
        .words = split ? played : NULL,
        .timed = worker->area->request.pass == PASS_LATENCY && !worker->area->request.probe,
        .every = worker->area->request.latency_sample,
        .processes = lanes_are_processes(worker),
    };
    worker->result->threads_recorded = summary->threads;
    status = crew_init(&worker->crew, &plan, err);
    return status < 0 ? status : lanes_map_refs(worker, err);
}

/* ---- replaying ------------------------------------------------------------------------------- */

static void lanes_report_count(struct worker *worker)
{
    const struct crew *crew = &worker->crew;
    worker->result->threads_replayed = crew->count;
    worker->result->processes_replayed = crew->processes ? crew->count : 1;
}

/* Lanes have all cores, also where they take turns: an allocator that counts them in a call, or
 * keeps something for each, does as in the program. What the C library maps for threads is the
 * harness's, except where it is the C library that is measured. */
void lanes_start(struct worker *worker)
{
    const struct request *request = &worker->area->request;
    struct crew *crew = &worker->crew;
    if (crew->count > 1)
        sched_setaffinity(0, sizeof request->cores, &request->cores);
    crew_start(crew);
    if (crew->count > 1 && worker->spec.backend->scope == SCOPE_HEAP)
        maps_baseline(&worker->baseline);
    lanes_report_count(worker);
    if (crew->count < worker_summary(worker)->threads && !request->threads &&
        request->processes < 2)
        worker_note(worker, "the system bears %u threads, onto which those of the trace are folded",
                    crew->count);
}

int lanes_enter(struct worker *worker, struct err *err)
{
    const struct crew_heap to = {
        .heap = worker->heap,
        .name = worker->area->request.shared_name,
        .refs = worker->player->refs,
        .touch = worker->touch,
    };
    return crew_enter(&worker->crew, &to, err);
}

void lanes_set_out(struct worker *worker)
{
    for (unsigned i = 0; i < worker->crew.count; i++)
        worker->lanes[i].player.at = worker->lanes[i].begin;
}

void lanes_take_window(struct worker *worker)
{
    if (lanes_take_turns(worker))
        worker->lanes->begin = worker->window.words;
    else
        crew_split(&worker->crew, &worker->window);
    lanes_set_out(worker);
}

struct player lanes_sums(const struct worker *worker)
{
    struct player sums = {0};
    for (unsigned i = 0; i < worker->crew.count; i++) {
        const struct player *player = &worker->lanes[i].player;
        sums.failed_allocations += player->failed_allocations;
        sums.failed_reallocs += player->failed_reallocs;
        sums.skipped_reallocs += player->skipped_reallocs;
        sums.skipped_frees += player->skipped_frees;
    }
    return sums;
}

void lanes_report(const struct worker *worker)
{
    const struct crew *crew = &worker->crew;
    const struct waiting waiting = crew_waiting(crew);
    struct cell_result *result = worker->result;
    result->handovers = waiting.handovers;
    result->waits = waiting.waits;
    result->wait_share = result->idle_share = 0;
    if (crew->times.busy > 0)
        result->wait_share = (double)waiting.ticks / (double)crew->times.busy;
    if (crew->times.span > 0)
        result->idle_share = 1 - (double)crew->times.busy / (double)crew->times.span;
}
