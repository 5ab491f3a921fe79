/* The crew: what its lanes do together. */
#include "harness/measure/crew.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/pages.h"
#include "harness/measure/crew_shared.h"

/* ---- mapping --------------------------------------------------------------------------------- */

static int crew_map_marks(struct crew *crew, const struct crew_plan *plan, struct err *err)
{
    size_t words = plan->words ? split_words(plan->capacity, plan->count) : plan->capacity;
    crew->every = plan->every;
    crew->marks_room = marks_room(words, plan->every) + plan->count * marks_room(0, plan->every);
    crew->marks = pages_map(crew->marks_room * sizeof *crew->marks);
    rng_init(&crew->rng, plan->every);
    return crew->marks ? 0 : err_set(err, errno, "no memory to mark what is timed");
}

size_t crew_refs(const struct crew *crew, size_t objects)
{
    size_t places = crew->split.slots.count;
    return places > objects ? places : objects;
}

/* Should an allocator fork in a call of a thread's, both processes would run on the one stack, as
 * what is the harness's is shared. So the child gets none, of which it dies. */
static char *crew_map_stacks(size_t bytes)
{
    char *stacks = pages_map_lazy(bytes);
    if (stacks)
        madvise(stacks, bytes, MADV_DONTFORK);
    return stacks;
}

static int crew_map(struct crew *crew, const struct crew_plan *plan, struct err *err)
{
    bool several = plan->count > 1, timed = several && plan->words && plan->timed;
    crew->shared = pages_map(sizeof *crew->shared);
    if (several)
        crew->stacks = crew_map_stacks((size_t)plan->count * CREW_STACK_BYTES);
    if (timed)
        crew->ticks = pages_map(plan->capacity * sizeof *crew->ticks);
    if (!crew->shared || (several && !crew->stacks) || (timed && !crew->ticks))
        return err_set(err, errno, "no memory for %u threads", plan->count);
    return 0;
}

int crew_init(struct crew *crew, const struct crew_plan *plan, struct err *err)
{
    *crew = (struct crew){.lanes = plan->lanes,
                          .count = plan->count,
                          .planned = plan->count,
                          .processes = plan->processes,
                          .delays = proc_delays_open(),
                          .timed = plan->timed,
                          .capacity = plan->capacity};
    int status = crew_map(crew, plan, err);
    if (plan->timed && plan->every > 1 && status == 0)
        status = crew_map_marks(crew, plan, err);
    if (plan->count > 1 && plan->words && status == 0)
        status =
            split_init(&crew->split, plan->words, plan->objects, plan->capacity, plan->count, err);
    return status;
}

void crew_release(struct crew *crew)
{
    if (crew->delays >= 0)
        close(crew->delays);
    pages_unmap(crew->shared, sizeof *crew->shared);
    pages_unmap(crew->stacks, (size_t)crew->planned * CREW_STACK_BYTES);
    pages_unmap(crew->ticks, crew->capacity * sizeof *crew->ticks);
    pages_unmap(crew->marks, crew->marks_room * sizeof *crew->marks);
    split_release(&crew->split);
}

/* ---- calling lanes, and hearing from them ---------------------------------------------------- */

void crew_call(struct lane *lane)
{
    atomic_fetch_add_explicit(&lane->called, 1, memory_order_release);
    handover_wake(&lane->called);
}

void crew_await_call(struct lane *lane, uint32_t calls)
{
    for (;;) {
        uint32_t seen = atomic_load_explicit(&lane->called, memory_order_acquire);
        if (seen == calls)
            return;
        handover_sleep(&lane->called, seen);
    }
}

void crew_end(struct crew_shared *shared)
{
    if (atomic_fetch_sub_explicit(&shared->running, 1, memory_order_acq_rel) == 1)
        handover_wake(&shared->running);
}

void crew_await_all(struct crew_shared *shared)
{
    for (;;) {
        uint32_t running = atomic_load_explicit(&shared->running, memory_order_acquire);
        if (running == 0)
            return;
        handover_sleep(&shared->running, running);
    }
}

static bool crew_is_for(const struct lane *lane, enum crew_work work)
{
    return work != CREW_PLAY || lane->operations > 0;
}

void crew_call_for(struct crew *crew, enum crew_work work)
{
    uint32_t called = 0;
    for (unsigned i = 1; i < crew->count; i++)
        called += crew_is_for(&crew->lanes[i], work);
    crew->shared->work = work;
    atomic_store_explicit(&crew->shared->running, called, memory_order_release);
    for (unsigned i = 1; i < crew->count; i++)
        if (crew_is_for(&crew->lanes[i], work))
            crew_call(&crew->lanes[i]);
}

/* ---- playing --------------------------------------------------------------------------------- */

/* What lies between two marks runs as if no clock were there. */
static void crew_play_marked(const struct crew *crew, struct lane *lane)
{
    const struct crew_shared *shared = crew->shared;
    const uint64_t *op = lane->begin;
    for (size_t i = 0; i < lane->marked; i++) {
        const struct mark *mark = &lane->marks[i];
        const uint64_t *marked = lane->begin + mark->word;
        struct operation operation;
        player_run(&lane->player, op, marked, shared->touch);
        op = op_read(marked, &operation);
        player_run_timed(&lane->player, marked, op, shared->touch, shared->clock,
                         lane->ticks + mark->number);
    }
    player_run(&lane->player, op, lane->end, shared->touch);
}

void crew_play_lane(const struct crew *crew, struct lane *lane)
{
    const struct crew_shared *shared = crew->shared;
    if (shared->part)
        shared->part(shared->arg, lane);
    else if (lane->ticks && crew->marks)
        crew_play_marked(crew, lane);
    else if (lane->ticks)
        player_run_timed(&lane->player, lane->begin, lane->end, shared->touch, shared->clock,
                         lane->ticks);
    else
        player_run(&lane->player, lane->begin, lane->end, shared->touch);
    lane->end_ticks = clock_ticks_after();
}

static void crew_choose_marks(struct crew *crew)
{
    struct mark *at = crew->marks;
    for (unsigned i = 0; i < crew->count; i++) {
        struct lane *lane = &crew->lanes[i];
        lane->marks = at;
        lane->marked = marks_choose(at, &crew->rng, crew->every, lane->begin, lane->end);
        at += lane->marked;
    }
    if (crew->ticks)
        memset(crew->ticks, 0xff, crew->capacity * sizeof *crew->ticks);
}
_Static_assert(PLAYER_SKIPPED == UINT64_MAX, "all bits set is an operation that was not timed");

void crew_split(struct crew *crew, struct window *window)
{
    if (crew->count > 1) {
        split_window(&crew->split, window, crew->lanes);
    } else {
        crew->lanes[0].begin = window->words;
        crew->lanes[0].end = window->words + window->count;
    }
    if (crew->marks)
        crew_choose_marks(crew);
}

static void crew_share_ticks(struct crew *crew, uint64_t *ticks)
{
    uint64_t *at = crew->count > 1 && ticks ? crew->ticks : ticks;
    for (unsigned i = 0; i < crew->count; i++) {
        crew->lanes[i].ticks = at;
        at += at ? crew->lanes[i].operations : 0;
    }
}

static void crew_note_times(struct crew *crew, uint64_t start)
{
    const struct lane *lanes = crew->lanes;
    uint64_t end = lanes[0].end_ticks;
    for (unsigned i = 1; i < crew->count; i++)
        if (lanes[i].operations && lanes[i].end_ticks > end)
            end = lanes[i].end_ticks;
    for (unsigned i = 0; i < crew->count; i++)
        if (lanes[i].operations) {
            crew->times.span += end - start;
            crew->times.busy += lanes[i].end_ticks - start;
        }
}

static void crew_play_window(struct crew *crew)
{
    if (crew->count == 1) {
        crew_play_lane(crew, crew->lanes);
        return;
    }
    uint64_t start = clock_ticks();
    crew_call_for(crew, CREW_PLAY);
    crew_play_lane(crew, crew->lanes);
    crew_await_all(crew->shared);
    crew_note_times(crew, start);
}

void crew_play(struct crew *crew)
{
    crew_share_ticks(crew, NULL);
    crew_play_window(crew);
}

void crew_play_as(struct crew *crew, crew_part *part, void *arg)
{
    crew->shared->part = part;
    crew->shared->arg = arg;
    crew_play(crew);
    crew->shared->part = NULL;
}

void crew_play_timed(struct crew *crew, enum clock_kind clock, uint64_t *ticks)
{
    crew->shared->clock = clock;
    crew_share_ticks(crew, ticks);
    crew_play_window(crew);
}

void crew_collect(struct crew *crew, const struct window *window, uint64_t *ticks)
{
    if (crew->count == 1)
        return;
    for (size_t i = 0; i < window->operations; i++)
        ticks[i] = *crew->lanes[window->threads[i]].ticks++;
}

struct waiting crew_waiting(const struct crew *crew)
{
    struct waiting sum = {0};
    for (unsigned i = 0; i < crew->count; i++) {
        const struct waiting *waiting = &crew->lanes[i].player.waiting;
        sum.handovers += waiting->handovers;
        sum.waits += waiting->waits;
        sum.ticks += waiting->ticks;
    }
    return sum;
}

/* ---- taking turns ---------------------------------------------------------------------------- */

struct lane *crew_whose_turn(const struct crew *crew)
{
    const struct crew_shared *shared = crew->shared;
    if (shared->next == shared->operations)
        return crew->lanes;
    return &crew->lanes[shared->threads[shared->next] % shared->count];
}

void crew_take_turn(struct crew *crew, const struct lane *lane)
{
    struct crew_shared *shared = crew->shared;
    size_t first = shared->next;
    const uint64_t *op = shared->op;
    while (shared->next < shared->operations && crew_whose_turn(crew) == lane) {
        struct operation operation;
        shared->op = op_read(shared->op, &operation);
        shared->next++;
    }
    if (shared->next > first)
        shared->turn(shared->arg, op, first, shared->next - first);
}

static uint32_t crew_calls(struct lane *lane)
{
    return atomic_load_explicit(&lane->called, memory_order_relaxed);
}

void crew_take_turns(struct crew *crew, const struct window *window, crew_turn *turn, void *arg)
{
    if (crew->count == 1) {
        turn(arg, window->words, 0, window->operations);
        return;
    }
    struct crew_shared *shared = crew->shared;
    shared->work = CREW_TURN;
    shared->turn = turn;
    shared->arg = arg;
    shared->threads = window->threads;
    shared->operations = window->operations;
    shared->op = window->words;
    shared->next = 0;
    do {
        crew_take_turn(crew, crew->lanes);
        struct lane *lane = crew_whose_turn(crew);
        if (lane == crew->lanes)
            break;
        uint32_t calls = crew_calls(crew->lanes);
        crew_call(lane);
        crew_await_call(crew->lanes, calls + 1);
    } while (shared->next < shared->operations);
}
