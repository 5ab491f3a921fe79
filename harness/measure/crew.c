/* The crew: all the lanes of a replay, and the threads that run them. */
#include "harness/measure/crew.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/pages.h"

enum crew_work { CREW_ENTER, CREW_PLAY, CREW_TURN, CREW_LEAVE };

/* What the lanes are called for, written before they are called. */
struct crew_shared {
    _Alignas(128) handover_word running; /* lanes that were called and have not ended */
    enum crew_work work;
    crew_turn *turn;
    void *arg;
    const uint32_t *threads;
    size_t operations;
    const uint64_t *op; /* where the next turn begins */
    size_t next;
};

enum {
    STACK_BYTES = 1 << 20,    /* with what libraries keep a thread; untouched, it costs nothing */
    STACK_TOUCHED = 64 << 10, /* reading the kernel's figures needs the most */
};

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

static int crew_map(struct crew *crew, const struct crew_plan *plan, struct err *err)
{
    bool timed = plan->words && plan->timed;
    crew->shared = pages_map(sizeof *crew->shared);
    crew->stacks = pages_map_lazy((size_t)plan->count * STACK_BYTES);
    if (timed)
        crew->ticks = pages_map(plan->capacity * sizeof *crew->ticks);
    if (!crew->shared || !crew->stacks || (timed && !crew->ticks))
        return err_set(err, errno, "no memory for %u threads", plan->count);
    return 0;
}

int crew_init(struct crew *crew, const struct crew_plan *plan, struct err *err)
{
    *crew = (struct crew){.lanes = plan->lanes,
                          .count = plan->count,
                          .planned = plan->count,
                          .capacity = plan->capacity};
    int status = 0;
    if (plan->timed && plan->every > 1)
        status = crew_map_marks(crew, plan, err);
    if (plan->count > 1 && status == 0)
        status = crew_map(crew, plan, err);
    if (plan->count > 1 && plan->words && status == 0)
        status =
            split_init(&crew->split, plan->words, plan->objects, plan->capacity, plan->count, err);
    return status;
}

void crew_release(struct crew *crew)
{
    pages_unmap(crew->shared, sizeof *crew->shared);
    pages_unmap(crew->stacks, (size_t)crew->planned * STACK_BYTES);
    pages_unmap(crew->ticks, crew->capacity * sizeof *crew->ticks);
    pages_unmap(crew->marks, crew->marks_room * sizeof *crew->marks);
    split_release(&crew->split);
}

/* ---- calling lanes, and hearing from them ---------------------------------------------------- */

static void crew_call(struct lane *lane)
{
    atomic_fetch_add_explicit(&lane->called, 1, memory_order_release);
    handover_wake(&lane->called);
}

/* Until the lane was called that often. */
static void crew_await_call(struct lane *lane, uint32_t calls)
{
    for (;;) {
        uint32_t seen = atomic_load_explicit(&lane->called, memory_order_acquire);
        if (seen == calls)
            return;
        handover_sleep(&lane->called, seen);
    }
}

static void crew_end(struct crew_shared *shared)
{
    if (atomic_fetch_sub_explicit(&shared->running, 1, memory_order_acq_rel) == 1)
        handover_wake(&shared->running);
}

static void crew_await_all(struct crew_shared *shared)
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

/* Calls all lanes but the first; to play only those that have something to play. */
static void crew_call_for(struct crew *crew, enum crew_work work)
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
    const uint64_t *op = lane->begin;
    for (size_t i = 0; i < lane->marked; i++) {
        const struct mark *mark = &lane->marks[i];
        const uint64_t *marked = lane->begin + mark->word;
        struct operation operation;
        player_run(&lane->player, op, marked, crew->touch);
        op = op_read(marked, &operation);
        player_run_timed(&lane->player, marked, op, crew->touch, crew->clock,
                         lane->ticks + mark->number);
    }
    player_run(&lane->player, op, lane->end, crew->touch);
}

static void crew_play_lane(const struct crew *crew, struct lane *lane)
{
    if (lane->ticks && crew->marks)
        crew_play_marked(crew, lane);
    else if (lane->ticks)
        player_run_timed(&lane->player, lane->begin, lane->end, crew->touch, crew->clock,
                         lane->ticks);
    else
        player_run(&lane->player, lane->begin, lane->end, crew->touch);
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

void crew_play_timed(struct crew *crew, enum clock_kind clock, uint64_t *ticks)
{
    crew->clock = clock;
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

static struct lane *crew_whose_turn(const struct crew *crew)
{
    const struct crew_shared *shared = crew->shared;
    if (shared->next == shared->operations)
        return crew->lanes;
    return &crew->lanes[shared->threads[shared->next] % crew->count];
}

/* The run of operations that are the lane's. */
static void crew_take_turn(struct crew *crew, const struct lane *lane)
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

/* ---- the threads ----------------------------------------------------------------------------- */

/* What the lane's own code needs of its stack is faulted in before anything is measured, and so is
 * what libraries keep of each thread, which lies above. */
static void crew_touch_stack(char *end)
{
    for (char *at = end - STACK_TOUCHED; at < end; at += 1024)
        *(volatile char *)at = 0;
}

/* Whether there is more to come. */
static bool crew_work(struct crew *crew, struct lane *lane)
{
    switch (crew->shared->work) {
    case CREW_ENTER:
        lane->failure = heap_thread_enter(lane->player.heap);
        crew_end(crew->shared);
        return true;
    case CREW_PLAY:
        crew_play_lane(crew, lane);
        crew_end(crew->shared);
        return true;
    case CREW_TURN:
        crew_take_turn(crew, lane);
        crew_call(crew_whose_turn(crew));
        return true;
    default:
        if (lane->player.heap && lane->failure == 0)
            heap_thread_leave(lane->player.heap);
        return false;
    }
}

static void *crew_lane(void *arg)
{
    struct lane *lane = arg;
    struct crew *crew = lane->crew;
    crew_end(crew->shared);
    uint32_t calls = 0;
    do
        crew_await_call(lane, ++calls);
    while (crew_work(crew, lane));
    return NULL;
}

static int crew_start_thread(struct crew *crew, unsigned number)
{
    struct lane *lane = &crew->lanes[number];
    char *stack = crew->stacks + (size_t)number * STACK_BYTES;
    pthread_attr_t attributes;
    crew_touch_stack(stack + STACK_BYTES);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, STACK_BYTES);
    int status = pthread_create(&lane->thread, &attributes, crew_lane, lane);
    pthread_attr_destroy(&attributes);
    return -status;
}

/* Lanes that cannot have a thread are folded onto those that have. */
static unsigned crew_start_threads(struct crew *crew)
{
    unsigned number = 1;
    for (; number < crew->count; number++) {
        atomic_fetch_add_explicit(&crew->shared->running, 1, memory_order_relaxed);
        if (crew_start_thread(crew, number) < 0) {
            atomic_fetch_sub_explicit(&crew->shared->running, 1, memory_order_relaxed);
            break;
        }
    }
    return number;
}

void crew_start(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++)
        crew->lanes[i].crew = crew;
    if (crew->count == 1)
        return;
    crew->count = crew_start_threads(crew);
    split_fold(&crew->split, crew->count);
    crew_await_all(crew->shared);
}

int crew_enter(struct crew *crew, struct heap *heap, void **refs, enum touch touch, struct err *err)
{
    crew->touch = touch;
    for (unsigned i = 0; i < crew->count; i++) {
        crew->lanes[i].player.heap = heap;
        crew->lanes[i].player.refs = refs;
        crew->lanes[i].player.handovers = crew->split.handovers;
    }
    if (crew->planned > 1) {
        crew_call_for(crew, CREW_ENTER);
        crew_await_all(crew->shared);
    }
    int failure = heap_thread_enter(heap);
    for (unsigned i = 1; i < crew->count; i++)
        failure = crew->lanes[i].failure ? crew->lanes[i].failure : failure;
    if (failure)
        return err_set(err, -failure, "a thread cannot enter the heap: %s", strerror(-failure));
    return 0;
}

void crew_stop(struct crew *crew)
{
    if (crew->lanes->player.heap)
        heap_thread_leave(crew->lanes->player.heap);
    if (crew->planned == 1)
        return;
    crew_call_for(crew, CREW_LEAVE);
    for (unsigned i = 1; i < crew->count; i++)
        pthread_join(crew->lanes[i].thread, NULL);
}
