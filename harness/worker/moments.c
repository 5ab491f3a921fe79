/* The moments: the replay stops where it is asked to, so that the heap can be taken apart at rest;
 * or looks for the moments at which that is worth while.
 *
 * What the replay knows of the blocks lies in memory that the parent sees. Nothing is read from
 * /proc here but RSS when looking for its peak: the parent does it while this process is stopped.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/worker/replay.h"

/* What exact readings may take in a replay. */
#define MOMENTS_EXACT_NS UINT64_C(3000000000)

struct moments {
    struct worker *worker;
    struct moments_area *area;
    struct replay replay;
    struct moments_block *blocks;
    uint64_t *pages;                /* a bit a page, NULL where there is no room for the map */
    uint64_t next_event, next_time; /* the earliest stop that was not reached, by either measure */
    uint64_t next_look;             /* RSS is read after so many events */
    uint64_t gone_event;            /* the last event that took a block away, and which */
    uint32_t gone_object;
    uint64_t faults;   /* when RSS was last read */
    uint64_t exact_ns; /* spent on exact readings */
    int sizes;         /* descriptor of statm */
};

/* ---- the blocks ---- */

/* Sets the bits of the pages that a block lies on, 64 at a time. */
static void moments_mark(uint64_t *pages, uint64_t address, uint64_t bytes)
{
    if ((address + bytes) >> MOMENTS_ADDRESS_BITS)
        return;
    uint64_t first = address / 4096, last = (address + (bytes ? bytes - 1 : 0)) / 4096;
    for (uint64_t word = first / 64; word <= last / 64; word++) {
        uint64_t from = word == first / 64 ? first % 64 : 0;
        uint64_t to = word == last / 64 ? last % 64 : 63;
        pages[word] |= (UINT64_MAX >> (63 - to)) & (UINT64_MAX << from);
    }
}

static void moments_come(void *arg, uint32_t object, uint64_t address, uint64_t size,
                         const struct place *by)
{
    struct moments *moments = arg;
    struct moments_block *block = &moments->blocks[object];
    bool resized = moments->gone_object == object && moments->gone_event == by->event;
    block->address = address;
    block->size = size;
    block->usable = moments->replay.ledger.entries[object].usable;
    if (moments->pages)
        moments_mark(moments->pages, address, block->usable);
    if (resized)
        return;
    block->event = by->event;
    block->time_ns = by->time_ns;
    block->thread = by->thread;
    block->site = by->site;
}

static void moments_gone(void *arg, uint32_t object, uint64_t address, uint64_t size,
                         const struct place *by)
{
    struct moments *moments = arg;
    (void)address;
    (void)size;
    moments->blocks[object].address = 0;
    moments->gone_event = by->event;
    moments->gone_object = object;
}

/* ---- at rest ---- */

static void moments_rest(struct moments *moments, enum moments_step step)
{
    moments->area->step = step;
    moments->area->rest++;
    /* To this very thread, which takes no further step then; the kernel stops the others. */
    raise(SIGSTOP);
}

struct moments_spans {
    struct moments_span *at; /* NULL: they are only counted */
    uint64_t count;
};

static int moments_visit(void *arg, const struct span *span)
{
    struct moments_spans *spans = arg;
    if (span->kind == SPAN_AREA)
        return 0;
    if (spans->at)
        spans->at[spans->count] = (struct moments_span){
            .start = (uintptr_t)span->start,
            .size = span->size,
            .usable = span->usable,
            .kind = span->kind,
        };
    spans->count++;
    return 0;
}

/* The walk reads what the allocator wrote, and its spans take memory: only after all else was seen.
 * Where they find no room, none is laid open. */
static void moments_lay_open(struct moments *moments)
{
    struct worker *worker = moments->worker;
    struct moments_area *area = moments->area;
    struct moments_spans spans = {0};
    heap_walk(worker->heap, moments_visit, &spans);
    size_t bytes = (spans.count + 1) * sizeof *spans.at;
    spans.at = worker_share(worker, bytes, false, &area->spans_offset);
    if (spans.at) {
        spans.count = 0;
        heap_walk(worker->heap, moments_visit, &spans);
    }
    area->spans = spans.at ? spans.count : 0;
    moments_rest(moments, MOMENTS_WALKED);
    if (!spans.at)
        return;
    munmap(spans.at, bytes);
    if (ftruncate(worker->fd, (off_t)area->spans_offset) < 0)
        worker_note(worker, "the memory of a walk could not be given back");
}

/* Which stops are reached when the operation at `next` is the first that is not replayed (NULL: the
 * trace is at its end); sets the next ones. */
static bool moments_reached(struct moments *moments, const struct place *next)
{
    struct moments_request *request = &moments->area->request;
    bool any = false;
    moments->next_event = moments->next_time = UINT64_MAX;
    for (size_t i = 0; i < request->stops; i++) {
        struct moments_stop *stop = &request->stop[i];
        if (stop->reached)
            continue;
        if (!next || stop->event <= next->event || stop->time_ns < next->time_ns) {
            stop->reached = moments->area->rest + 1;
            any = true;
        } else if (stop->event != UINT64_MAX && stop->event < moments->next_event) {
            moments->next_event = stop->event;
        } else if (stop->time_ns < moments->next_time) {
            moments->next_time = stop->time_ns;
        }
    }
    return any;
}

static void moments_stop(struct moments *moments, const struct place *next)
{
    struct moments_area *area = moments->area;
    const struct ledger *ledger = &moments->replay.ledger;
    if (!moments_reached(moments, next))
        return;
    area->event = next ? next->event : worker_summary(moments->worker)->events;
    area->live = ledger->live;
    area->usable = ledger->usable;
    area->live_blocks = ledger->blocks;
    moments_rest(moments, MOMENTS_AS_IT_IS);
    if (area->walks)
        moments_lay_open(moments);
}

/* ---- looking for the peaks ---- */

static void moments_look_at(struct moments_peak *peak, uint64_t bytes, const struct place *place)
{
    if (bytes > peak->bytes)
        *peak = (struct moments_peak){place->event + 1, place->time_ns, bytes};
}

/* RSS rises by faults alone. */
static bool moments_may_have_risen(struct moments *moments)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    uint64_t faults = (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
    bool risen = faults != moments->faults;
    moments->faults = faults;
    return risen;
}

/* An exact reading walks the page tables, which takes the longer the more there is. */
static uint64_t moments_rss(struct moments *moments)
{
    const struct moments_request *request = &moments->area->request;
    struct proc_sizes sizes = {0};
    proc_sizes_again(moments->sizes, &sizes);
    if (request->exact_above == UINT64_MAX)
        return sizes.rss;
    if (sizes.rss < request->exact_above || moments->exact_ns > MOMENTS_EXACT_NS)
        return 0;
    uint64_t start_ns = clock_ns(), exact = proc_kilobytes("/proc/self/smaps_rollup", "Rss:");
    moments->exact_ns += clock_ns() - start_ns;
    return exact == UINT64_MAX ? sizes.rss : exact;
}

static void moments_look(struct moments *moments, const struct place *place)
{
    uint64_t event = place->event + 1;
    moments_look_at(&moments->area->peak_live, moments->replay.ledger.live, place);
    if (event < moments->next_look)
        return;
    moments->next_look = event + moments->area->request.stride;
    if (moments_may_have_risen(moments))
        moments_look_at(&moments->area->peak_rss, moments_rss(moments), place);
}

/* ---- the replay ---- */

static void moments_step(struct moments *moments, const struct operation *operation,
                         const struct place *place)
{
    if (place->event >= moments->next_event || place->time_ns > moments->next_time)
        moments_stop(moments, place);
    replay_step(&moments->replay, operation, place);
    moments->area->time_ns = place->time_ns;
    if (moments->area->request.stops == 0)
        moments_look(moments, place);
}

static void moments_turn(void *arg, const uint64_t *op, size_t first, size_t count)
{
    struct moments *moments = arg;
    const struct place *place = moments->worker->window.places + first;
    for (size_t i = 0; i < count; i++) {
        struct operation operation;
        moments->worker->player->at = op;
        op = op_read(op, &operation);
        moments_step(moments, &operation, place++);
    }
}

static bool moments_site_out(const void *arg, uint32_t site)
{
    const struct moments_request *request = arg;
    return site < MOMENTS_SITES && (request->site[site / 8] >> site % 8 & 1);
}

static bool moments_size_out(const void *arg, uint64_t size)
{
    const struct moments_request *request = arg;
    for (size_t i = 0; i < request->sizes; i++)
        if (size >= request->size[i].low && size <= request->size[i].high)
            return true;
    return false;
}

static int moments_share(struct moments *moments, struct err *err)
{
    struct worker *worker = moments->worker;
    struct moments_area *area = moments->area;
    area->blocks = worker->window.objects;
    moments->blocks = worker_share(worker, (area->blocks + 1) * sizeof *moments->blocks, true,
                                   &area->blocks_offset);
    if (!moments->blocks)
        return err_set(err, errno, "no memory for a table of %u live objects",
                       worker->window.objects);
    /* As long as address space, if hardly any of it is there: a limit on files may be in its way.
     */
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    moments->pages = worker_share(worker, MOMENTS_PAGES_BYTES, false, &area->pages_offset);
    signal(SIGXFSZ, before);
    if (!moments->pages)
        area->pages_offset = 0;
    return 0;
}

/* One that never frees calls dead blocks used. */
static bool moments_can_walk(const struct allocator *allocator)
{
    return allocator->walk && allocator_has(allocator, ALLOCATOR_WALK_TILES) &&
           !allocator_has(allocator, ALLOCATOR_NO_FREE);
}

static int moments_begin(struct moments *moments, struct window_left_out *left_out, struct err *err)
{
    struct worker *worker = moments->worker;
    struct moments_area *area = moments->area;
    area->baseline = worker->baseline;
    *left_out = (struct window_left_out){moments_site_out, moments_size_out, &area->request};
    if (area->request.leaves_out)
        worker->window.left_out = left_out;
    int status = moments_share(moments, err);
    if (status == 0)
        status = replay_init(&moments->replay, worker, err);
    moments->sizes = proc_sizes_open();
    /* Read in every replay, so that the code it takes is in the RSS of every one. */
    area->base_rss = proc_kilobytes("/proc/self/smaps_rollup", "Rss:");
    moments_may_have_risen(moments);
    area->usable_known = moments->replay.usable_known;
    area->walks = moments_can_walk(worker->heap->ops);
    return status;
}

int moments_pass(struct worker *worker, struct err *err)
{
    struct moments moments = {.worker = worker, .area = &worker->area->moments};
    struct window_left_out left_out;
    moments.replay.come = moments_come;
    moments.replay.gone = moments_gone;
    moments.replay.arg = &moments;
    moments.gone_event = UINT64_MAX;
    if (allocator_has(worker->heap->ops, ALLOCATOR_NOT_REAL))
        return worker_refuse(worker, "skipped: not a real allocator",
                             "%s gives no memory, so there is nothing to explain",
                             worker->heap->ops->name);
    int status = moments_begin(&moments, &left_out, err);
    if (status == 0)
        status = worker_next_window(worker, err);
    for (; status > 0; status = worker_next_window(worker, err)) {
        crew_take_turns(&worker->crew, &worker->window, moments_turn, &moments);
        worker_window_done(worker);
    }
    if (status == 0)
        moments_stop(&moments, NULL);
    return status;
}
