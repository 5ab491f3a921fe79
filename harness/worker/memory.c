/* The memory pass: the ledger beside the replay, and what the kernel says, sampled along the trace.
 *
 * R, U and L are exact after every event; H and P are read at some 2,000 moments and at the peak of
 * R, and the time that takes is reported. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/measure/fragmentation.h"
#include "harness/measure/residency.h"
#include "harness/measure/residents.h"
#include "harness/worker/census.h"
#include "harness/worker/pace.h"

/* LazyFree needs the kernel to walk all page tables: read at every so many samples. */
enum { LAZYFREE_EVERY = 64 };

struct memory {
    struct worker *worker;
    struct memory_area *area;
    struct replay replay;
    uint64_t events; /* in the trace */
    uint64_t stride; /* events between samples */
    uint64_t next;   /* sample after this many events */
    uint64_t peak;   /* and after this many: the peak of R */
    uint64_t base_rss;
    uint64_t sampling_ns;
    uint64_t began_ns, mapping_ns; /* when, and how long residency was read since */
    uint64_t most_held;
    struct pace_keeper pace;
    bool peak_reset;
    bool mapped;    /* blocks have places of their own, so there is a heap map */
    int pagemap;    /* open, or -1 */
    size_t at_peak; /* the sample at the peak of R */
    struct census_taker taker;
};

/* The peak of R is the one moment that is the same for every allocator; the others are the first
 * samples at or after a quarter of the trace. */
static bool memory_is_due(const struct memory *memory, enum census_moment moment, uint64_t event)
{
    if (memory->area->census[moment].taken)
        return false;
    if (moment == CENSUS_PEAK)
        return event == memory->peak;
    static const unsigned quarters[CENSUS_MOMENTS] = {
        [CENSUS_QUARTER] = 1, [CENSUS_HALF] = 2, [CENSUS_THREE_QUARTERS] = 3, [CENSUS_END] = 4};
    return event >= memory->events * quarters[moment] / 4;
}

static void memory_take_census(struct memory *memory, uint64_t event)
{
    struct memory_area *area = memory->area;
    for (int moment = 0; moment < CENSUS_MOMENTS && memory->mapped; moment++)
        if (memory_is_due(memory, (enum census_moment)moment, event))
            census_take(&memory->taker, event, &area->census[moment], &area->pages[moment]);
}

static int memory_map_resident(void *map, uint64_t start, uint64_t end)
{
    heapmap_add_resident(map, start, end);
    return 0;
}

/* Reading which pages are resident takes 10 ms a column and GiB: it gets a second, and a quarter of
 * the time. */
static bool memory_may_read_residency(const struct memory *memory, uint64_t now_ns)
{
    const uint64_t free_ns = 1000000000;
    return memory->pagemap >= 0 && memory->mapping_ns <= free_ns + (now_ns - memory->began_ns) / 4;
}

static void memory_map_column(struct memory *memory, uint64_t event)
{
    struct heapmap *map = &memory->area->map;
    if (!memory->mapped || map->columns > event * HEAPMAP_COLUMNS / (memory->events + 1))
        return;
    uint64_t start_ns = clock_ns();
    bool known =
        memory_may_read_residency(memory, start_ns) &&
        residency_visit(memory->pagemap, &memory->worker->baseline, memory_map_resident, map) == 0;
    heapmap_column(map, event, known);
    memory->mapping_ns += clock_ns() - start_ns;
}

static void memory_sample(struct memory *memory, uint64_t event, uint64_t time_ns, bool thorough)
{
    struct memory_area *area = memory->area;
    const struct ledger *ledger = &memory->replay.ledger;
    if (area->samples == SAMPLES_MAX)
        return;
    uint64_t start_ns = clock_ns(), held = 0;
    struct proc_sizes sizes = {0};
    proc_sizes(&sizes);
    maps_held(&memory->worker->baseline, &held);
    thorough = thorough || area->samples % LAZYFREE_EVERY == 0;
    area->sample[area->samples] = (struct cell_sample){
        .event = event,
        .time_ns = time_ns,
        .allocated = ledger->requested,
        .live = ledger->live,
        .usable = memory->replay.usable_known ? ledger->usable : COUNT_UNKNOWN,
        .held = held,
        .resident = sizes.rss > memory->base_rss ? sizes.rss - memory->base_rss : 0,
        .lazyfree =
            thorough ? proc_kilobytes("/proc/self/smaps_rollup", "LazyFree:") : COUNT_UNKNOWN,
        .rss = sizes.rss,
        .vsz = sizes.vsz,
        .blocks = ledger->blocks,
    };
    area->rounded[area->samples] = ledger->rounded;
    if (event == memory->peak)
        memory->at_peak = area->samples;
    memory->most_held = held > memory->most_held ? held : memory->most_held;
    area->samples++;
    memory_map_column(memory, event);
    memory_take_census(memory, event);
    memory->sampling_ns += clock_ns() - start_ns;
}

static void memory_come(void *map, uint32_t object, uint64_t address, uint64_t size,
                        const struct place *by)
{
    (void)object;
    (void)by;
    heapmap_add(map, address, size);
}

static void memory_gone(void *map, uint32_t object, uint64_t address, uint64_t size,
                        const struct place *by)
{
    (void)object;
    (void)by;
    heapmap_remove(map, address, size);
}

static void memory_step(struct memory *memory, const struct operation *operation,
                        const struct place *place)
{
    pace_keep(&memory->pace, place->time_ns);
    replay_step(&memory->replay, operation, place);
    uint64_t event = place->event + 1;
    if (event >= memory->next || event == memory->peak) {
        memory_sample(memory, event, place->time_ns, event == memory->peak);
        if (event >= memory->next)
            memory->next = event + memory->stride;
    }
}

static void memory_turn(void *arg, const uint64_t *op, size_t first, size_t count)
{
    struct memory *memory = arg;
    const struct place *place = memory->worker->window.places + first;
    for (size_t i = 0; i < count; i++) {
        struct operation operation;
        memory->worker->player->at = op;
        op = op_read(op, &operation);
        memory_step(memory, &operation, place++);
    }
}

/* Everything from here on is the heap's: the peak of RSS counts anew. */
static int memory_begin(struct memory *memory, struct err *err)
{
    struct worker *worker = memory->worker;
    const struct trace_summary *summary = worker_summary(worker);
    memory->area = &worker->area->memory;
    memory->events = summary->events;
    memory->stride = (summary->events + SAMPLES_WANTED) / SAMPLES_WANTED;
    memory->next = memory->stride;
    memory->peak = summary->peak_event + 1;
    memory->pace = pace_keeper(worker);
    memory->mapped = !allocator_has(worker->heap->ops, ALLOCATOR_NOT_REAL);
    heapmap_init(&memory->area->map);
    memory->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (memory->mapped)
        memory->replay =
            (struct replay){.come = memory_come, .gone = memory_gone, .arg = &memory->area->map};
    int status = replay_init(&memory->replay, worker, err);
    return status < 0 ? status
                      : census_taker_init(&memory->taker, &memory->replay, memory->pagemap, err);
}

static void memory_base(struct memory *memory)
{
    struct cell_result *result = memory->worker->result;
    struct proc_sizes sizes = {0};
    struct residents residents;
    memory->peak_reset = proc_reset_peak() == 0;
    if (!memory->peak_reset)
        worker_note(memory->worker, "the peak of RSS could not be reset: that of the samples is "
                                    "given");
    proc_sizes(&sizes);
    memory->base_rss = result->base_rss_bytes = sizes.rss;
    if (residents_read(getpid(), NULL, &residents) == 0)
        result->base_heap_bytes = residents.heap;
    memory_sample(memory, 0, 0, true);
}

/* VmHWM has no gaps; the samples stand in where it could not be reset. */
static void memory_report_peaks(struct memory *memory)
{
    struct worker *worker = memory->worker;
    struct cell_result *result = worker->result;
    const struct memory_area *area = memory->area;
    uint64_t rss = 0, vsz = 0, resident = 0;
    for (size_t i = 0; i < area->samples; i++) {
        const struct cell_sample *sample = &area->sample[i];
        rss = sample->rss > rss ? sample->rss : rss;
        vsz = sample->vsz > vsz ? sample->vsz : vsz;
        resident = sample->resident > resident ? sample->resident : resident;
    }
    uint64_t high_water = proc_kilobytes("/proc/self/status", "VmHWM:");
    uint64_t vsz_peak = proc_kilobytes("/proc/self/status", "VmPeak:");
    if (high_water != UINT64_MAX && memory->peak_reset)
        rss = high_water > rss ? high_water : rss;
    if (vsz_peak != UINT64_MAX && vsz_peak > vsz)
        vsz = vsz_peak;
    result->peak_rss_bytes = rss > memory->base_rss ? rss - memory->base_rss : 0;
    result->peak_vsz_bytes = vsz > worker->own_vsz ? vsz - worker->own_vsz : 0;
    result->peak_resident_bytes = resident;
}

static void memory_report_fragmentation(struct memory *memory)
{
    struct cell_result *result = memory->worker->result;
    const struct memory_area *area = memory->area;
    const struct cell_sample *peak = &area->sample[memory->at_peak];
    if (peak->held == 0)
        return;
    result->residency = (double)peak->resident / (double)peak->held;
    if (peak->usable != COUNT_UNKNOWN && peak->usable > 0) {
        result->internal_fragmentation = 1 - (double)peak->live / (double)peak->usable;
        result->external_fragmentation = 1 - (double)peak->usable / (double)peak->held;
    }
    uint64_t held[SAMPLES_MAX];
    for (size_t i = 0; i < area->samples; i++)
        held[i] = area->sample[i].held;
    struct johnstone_wilson figures = johnstone_wilson(area->rounded, held, area->samples);
    result->jw1 = figures.mean;
    result->jw2 = figures.at_peak_live;
    result->jw3 = figures.at_peak_held;
    result->jw_area = figures.area;
    result->jw4 =
        memory->replay.ledger.peak_rounded
            ? (double)result->peak_held_bytes / (double)memory->replay.ledger.peak_rounded - 1
            : REAL_UNKNOWN;
}

/* How bad it could have been, for any policy that does not move blocks. */
static void memory_report_bounds(struct memory *memory)
{
    struct cell_result *result = memory->worker->result;
    const struct ledger *ledger = &memory->replay.ledger;
    double unit = REPLAY_ROUNDED_TO, live = (double)ledger->peak_rounded / unit;
    double ratio = fmax(1, (double)ledger->largest / unit);
    result->robson_bytes = (uint64_t)(unit * bound_robson(live, ratio));
    result->first_fit_bound_bytes = (uint64_t)(unit * bound_first_fit(live, ratio));
    result->best_fit_bound_bytes = (uint64_t)(unit * fmax(live, bound_best_fit(live, ratio)));
}

static void memory_report_walk(const struct census *census, struct cell_result *result)
{
    result->walk_free_blocks = census->walk_holes.count;
    result->walk_free_bytes = census->walk_holes.bytes;
    result->walk_meta_bytes = census->walk_meta;
}

/* The census at the peak of R in figures. */
static void memory_report_census(const struct census *census, struct cell_result *result)
{
    if (census->held_known) {
        result->holes = census->holes.count;
        result->hole_bytes = census->holes.bytes;
        result->largest_hole_bytes = census->holes.largest;
        result->seam_bytes = census->seam_bytes;
        result->empty_bytes = census->empty_bytes;
        if (census->blocks)
            result->holes_per_block = (double)census->holes.count / (double)census->blocks;
    }
    if (census->pages_known && census->resident_pages) {
        double pages = (double)census->resident_pages;
        result->page_occupancy = (double)census->resident_live / (pages * CENSUS_PAGE);
        result->dead_pages = (double)census->pages[0] / pages;
    }
    if (census->anonymous != UINT64_MAX && census->huge != UINT64_MAX && census->anonymous)
        result->huge_coverage = (double)census->huge / (double)census->anonymous;
    if (census->walked)
        memory_report_walk(census, result);
}

/* The region's account is exact and has no gaps between samples; where a heap has one, the kernel's
 * view must agree with it. */
static void memory_report_held(struct memory *memory)
{
    struct worker *worker = memory->worker;
    struct cell_result *result = worker->result;
    const struct memory_area *area = memory->area;
    const struct cell_sample *last = &area->sample[area->samples - 1];
    result->peak_held_bytes = memory->most_held;
    result->end_held_bytes = last->held;
    result->end_resident_bytes = last->resident;
    if (!worker->region.base)
        return;
    if (worker->region.committed_peak > result->peak_held_bytes)
        result->peak_held_bytes = worker->region.committed_peak;
    /* A layer's memory is its own, outside of the region. */
    if (last->held != worker->region.committed && worker->spec.layer_count == 0)
        worker_note(worker,
                    "the region's account (%zu bytes) differs from the kernel's (%" PRIu64 ")",
                    worker->region.committed, last->held);
}

static void memory_report(struct memory *memory, const struct meter *meter)
{
    struct cell_result *result = memory->worker->result;
    const struct ledger *ledger = &memory->replay.ledger;
    meter_report(meter, result);
    result->samples = memory->area->samples;
    result->sampling_share =
        meter->elapsed_ns ? (double)memory->sampling_ns / (double)meter->elapsed_ns : 0;
    result->peak_live_bytes = ledger->peak_live;
    result->reallocs_in_place = memory->replay.resized_in_place;
    if (memory->replay.usable_known)
        result->peak_usable_bytes = ledger->peak_usable;
    if (allocator_has(memory->worker->heap->ops, ALLOCATOR_NOT_REAL))
        return;
    memory_report_peaks(memory);
    memory_report_held(memory);
    memory_report_fragmentation(memory);
    memory_report_bounds(memory);
    if (memory->area->census[CENSUS_PEAK].taken)
        memory_report_census(&memory->area->census[CENSUS_PEAK], result);
    if (ledger->peak_live)
        result->rss_over_live = (double)result->peak_rss_bytes / (double)ledger->peak_live;
}

static int memory_play(struct memory *memory, struct meter *meter, struct err *err)
{
    struct worker *worker = memory->worker;
    int status = worker_next_window(worker, err);
    memory_base(memory);
    memory->sampling_ns = 0;
    memory->mapping_ns = 0;
    memory->began_ns = clock_ns();
    for (; status > 0; status = worker_next_window(worker, err)) {
        meter_start(meter);
        crew_take_turns(&worker->crew, &worker->window, memory_turn, memory);
        meter_stop(meter);
        worker_window_done(worker);
    }
    memory_sample(memory, memory->events, worker_summary(worker)->duration_ns, true);
    return status;
}

int memory_pass(struct worker *worker, struct err *err)
{
    struct memory memory = {.worker = worker};
    struct meter meter = {.crew = &worker->crew};
    uint64_t own_before = 0, own_after = 0;
    int status = memory_begin(&memory, err);
    if (status < 0)
        return status;
    proc_own_resident("/proc/self/smaps", worker->program, &own_before);
    status = memory_play(&memory, &meter, err);
    proc_own_resident("/proc/self/smaps", worker->program, &own_after);
    memory_report(&memory, &meter);
    if (status == 0 && own_after != own_before)
        return worker_refuse(worker, "failed: the harness itself grew",
                             "%" PRId64 " bytes of its own became resident in the replay, so that "
                             "the allocator's figures hold them too: report this as a bug",
                             (int64_t)(own_after - own_before));
    return status;
}
