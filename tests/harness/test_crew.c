/* The crew: real threads over a heap that checks, and turns in the recorded order. */
#include "harness/measure/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocators/spec.h"
#include "harness/base/pages.h"
#include "tests/harness/support/crowd.h"
#include "tests/unit.h"

struct replay {
    struct crowd_window opened;
    struct crew crew;
    struct lane *lanes;
    uint64_t *words; /* NULL where turns are taken */
    size_t word_count;
    void **refs;
    size_t ref_count;
    struct region region;
    struct heap *heap;
};

static void open_heap(struct replay *replay, const char *text, const char *name)
{
    static struct spec spec; /* large */
    struct err err;
    if (spec_parse(&spec, text, &err) ||
        spec_create(&spec, &replay->region, name, &replay->heap, &err))
        fail_msg("%s", err.text);
}

enum { LIVE = 300, EVENTS = 30000 };
static const struct crowd busy = {.threads = 12,
                                  .events = EVENTS,
                                  .live = LIVE,
                                  .cross_share = 30,
                                  .switch_share = 10,
                                  .seed = 7};

/* `shared`: the name of the heap that processes share, NULL for threads. */
static void open_shared(struct replay *replay, unsigned lanes, size_t words, bool turns,
                        const char *spec, const char *shared)
{
    *replay = (struct replay){0};
    crowd_open(&replay->opened, &busy, words);
    size_t capacity = replay->opened.capacity;
    replay->lanes = pages_map(lanes * sizeof *replay->lanes);
    replay->word_count = turns ? 0 : split_words(capacity, lanes);
    if (!turns)
        replay->words = pages_map(replay->word_count * sizeof *replay->words);
    const struct crew_plan plan = {
        .lanes = replay->lanes,
        .count = lanes,
        .objects = replay->opened.window.objects,
        .capacity = capacity,
        .words = replay->words,
        .timed = true,
        .processes = shared,
    };
    assert_int_equal(crew_init(&replay->crew, &plan, NULL), 0);
    replay->ref_count = crew_refs(&replay->crew, plan.objects);
    replay->refs = pages_map(replay->ref_count * sizeof *replay->refs);
    crew_start(&replay->crew);
    open_heap(replay, spec, shared);
    const struct crew_heap to = {
        .heap = replay->heap, .name = shared, .refs = replay->refs, .touch = TOUCH_ALL};
    assert_int_equal(crew_enter(&replay->crew, &to, NULL), 0);
    assert_int_equal(replay->crew.count, lanes);
}

static void open_replay(struct replay *replay, unsigned lanes, size_t words, bool turns,
                        const char *spec)
{
    open_shared(replay, lanes, words, turns, spec, NULL);
}

static void close_replay(struct replay *replay)
{
    char why[256] = "";
    crew_stop(&replay->crew);
    if (heap_check(replay->heap, why, sizeof why) == -EUCLEAN)
        fail_msg("%s", why);
    heap_destroy(replay->heap);
    if (replay->region.base)
        region_release(&replay->region);
    crew_release(&replay->crew);
    pages_unmap(replay->refs, replay->ref_count * sizeof *replay->refs);
    pages_unmap(replay->words, replay->word_count * sizeof *replay->words);
    pages_unmap(replay->lanes, replay->crew.planned * sizeof *replay->lanes);
    crowd_close(&replay->opened);
}

static uint64_t live_blocks(struct heap *heap)
{
    struct heap_stats stats;
    heap_stats(heap, &stats);
    return stats.live_blocks;
}

/* The checked layer sees every double free, foreign pointer and overrun; what it holds at the end
 * is nothing, since the recording frees everything. */
static void threads_use_each_block_as_recorded(void **state)
{
    (void)state;
    static const size_t windows[] = {500, WINDOW_WORDS};
    static const char *const specs[] = {"system+checked", "first-fit+checked+locked"};
    for (size_t w = 0; w < 2; w++)
        for (size_t s = 0; s < 2; s++)
            for (unsigned lanes = 1; lanes <= 12; lanes += 11) {
                struct replay replay;
                open_replay(&replay, lanes, windows[w], false, specs[s]);
                uint64_t handovers = 0;
                while (window_fill(&replay.opened.window, NULL) == 1) {
                    crew_split(&replay.crew, &replay.opened.window);
                    crew_play(&replay.crew);
                    handovers += replay.crew.split.given;
                }
                assert_true(live_blocks(replay.heap) == 0 || s == 0); /* system does not tell */
                assert_int_equal(crew_waiting(&replay.crew).handovers, handovers);
                assert_true(lanes == 1 || handovers > 0);
                for (unsigned i = 0; i < lanes; i++)
                    assert_int_equal(replay.lanes[i].player.failed_allocations, 0);
                close_replay(&replay);
            }
}

/* A heap whose calls take a time that names them: the size asked for. */
static void every_operation_has_its_own_ticks(void **state)
{
    (void)state;
    struct replay replay;
    open_replay(&replay, 12, WINDOW_WORDS, false, "system");
    struct window *window = &replay.opened.window;
    assert_int_equal(window_fill(window, NULL), 1);
    uint64_t *ticks = pages_map(replay.opened.capacity * sizeof *ticks);
    memset(ticks, 0, window->operations * sizeof *ticks);
    crew_split(&replay.crew, window);
    crew_play_timed(&replay.crew, CLOCK_SYSTEM, ticks);
    size_t done[12] = {0};
    const uint64_t *first[12];
    for (unsigned i = 0; i < 12; i++)
        first[i] = replay.lanes[i].ticks;
    crew_collect(&replay.crew, window, ticks);
    for (size_t i = 0; i < window->operations; i++) {
        uint32_t lane = window->threads[i];
        assert_int_equal(ticks[i], first[lane][done[lane]++]);
        assert_int_not_equal(ticks[i], PLAYER_SKIPPED);
    }
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(done[i], replay.lanes[i].operations);
    pages_unmap(ticks, replay.opened.capacity * sizeof *ticks);
    close_replay(&replay);
}

struct turn_order {
    const struct replay *replay;
    size_t next;
    const uint64_t *op;
    pthread_t seen[12]; /* by lane */
    size_t turns;
};

static void note_turn(void *arg, const uint64_t *op, size_t first, size_t count)
{
    struct turn_order *order = arg;
    const struct window *window = &order->replay->opened.window;
    assert_int_equal(first, order->next);
    assert_ptr_equal(op, order->op);
    uint32_t lane = window->threads[first] % order->replay->crew.count;
    if (!order->seen[lane])
        order->seen[lane] = pthread_self();
    assert_true(pthread_equal(order->seen[lane], pthread_self()));
    for (size_t i = 0; i < count; i++) {
        struct operation operation;
        assert_int_equal(window->threads[first + i] % order->replay->crew.count, lane);
        order->op = op_read(order->op, &operation);
    }
    order->next = first + count;
    order->turns++;
}

static void turns_follow_the_recording(void **state)
{
    (void)state;
    static const unsigned counts[] = {1, 5, 12};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct replay replay;
        open_replay(&replay, counts[i], 4000, true, "system");
        struct window *window = &replay.opened.window;
        struct turn_order order = {.replay = &replay};
        size_t operations = 0;
        while (window_fill(window, NULL) == 1) {
            order.next = 0;
            order.op = window->words;
            crew_take_turns(&replay.crew, window, note_turn, &order);
            assert_int_equal(order.next, window->operations);
            operations += window->operations;
        }
        assert_true(operations >= EVENTS);
        assert_true(counts[i] == 1 ? order.turns < 20 : order.turns > 1000);
        for (unsigned lane = 1; lane < counts[i]; lane++)
            assert_false(pthread_equal(order.seen[lane], order.seen[0]));
        close_replay(&replay);
    }
}

static const char *heap_name(void)
{
    static char name[64];
    snprintf(name, sizeof name, "/heapbench-crew-%d", (int)getpid());
    return name;
}

static void processes_use_each_block_as_recorded(void **state)
{
    (void)state;
    struct replay replay;
    open_shared(&replay, 4, 5000, false, "shmheap", heap_name());
    while (window_fill(&replay.opened.window, NULL) == 1) {
        crew_split(&replay.crew, &replay.opened.window);
        crew_play(&replay.crew);
    }
    assert_true(crew_waiting(&replay.crew).handovers > 1000);
    assert_int_equal(live_blocks(replay.heap), 0);
    close_replay(&replay);
}

struct places {
    struct crew *crew;
    const uint32_t *threads;
    struct {
        pid_t process;
        void *place; /* of one and the same ref */
    } seen[4];
};

static void note_place(void *arg, const uint64_t *op, size_t first, size_t count)
{
    struct places *places = arg;
    (void)op;
    (void)count;
    uint32_t lane = places->threads[first] % 4;
    places->seen[lane].process = getpid();
    places->seen[lane].place = heap_resolve(places->crew->heap, (void *)4096);
}

/* So that nothing but refs can have gone from one to another. */
static void each_process_has_the_heap_elsewhere(void **state)
{
    (void)state;
    static struct replay replay;
    struct places *places = pages_map(sizeof *places);
    open_shared(&replay, 4, WINDOW_WORDS, true, "shmheap", heap_name());
    assert_int_equal(window_fill(&replay.opened.window, NULL), 1);
    places->crew = &replay.crew;
    places->threads = replay.opened.threads;
    crew_take_turns(&replay.crew, &replay.opened.window, note_place, places);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++) {
            assert_int_not_equal(places->seen[i].process, places->seen[j].process);
            assert_ptr_not_equal(places->seen[i].place, places->seen[j].place);
        }
    close_replay(&replay);
    pages_unmap(places, sizeof *places);
}

static void die(void *arg, const uint64_t *op, size_t first, size_t count)
{
    (void)op;
    (void)first;
    (void)count;
    if (getpid() != *(pid_t *)arg)
        raise(SIGUSR1);
}

static void a_process_that_dies_takes_all_with_it(void **state)
{
    (void)state;
    int status;
    const char *name = heap_name();
    pid_t child = fork();
    if (child == 0) {
        static struct replay replay;
        pid_t *self = pages_map(sizeof *self);
        *self = getpid();
        open_shared(&replay, 4, WINDOW_WORDS, true, "shmheap", name);
        if (window_fill(&replay.opened.window, NULL) == 1)
            crew_take_turns(&replay.crew, &replay.opened.window, die, self);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    shm_unlink(name);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGUSR1);
}

static void note_stack(void *arg, const uint64_t *op, size_t first, size_t count)
{
    char here = 0, **stack = arg;
    (void)op;
    (void)first;
    (void)count;
    if (gettid() != getpid())
        *stack = (char *)((uintptr_t)&here & ~(uintptr_t)4095);
}

/* Else both processes would run on one stack when an allocator forks in a thread's call. */
static void a_child_has_no_stacks_of_threads(void **state)
{
    (void)state;
    struct replay replay;
    char *stack = NULL;
    int status;
    open_replay(&replay, 4, WINDOW_WORDS, true, "null");
    assert_int_equal(window_fill(&replay.opened.window, NULL), 1);
    crew_take_turns(&replay.crew, &replay.opened.window, note_stack, &stack);
    assert_int_equal(msync(stack, 4096, MS_ASYNC), 0);
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); /* fork() writes to them */
    if (child == 0)
        _exit(msync(stack, 4096, MS_ASYNC) == 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close_replay(&replay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_use_each_block_as_recorded),
        cmocka_unit_test(every_operation_has_its_own_ticks),
        cmocka_unit_test(turns_follow_the_recording),
        cmocka_unit_test(processes_use_each_block_as_recorded),
        cmocka_unit_test(each_process_has_the_heap_elsewhere),
        cmocka_unit_test(a_process_that_dies_takes_all_with_it),
        cmocka_unit_test(a_child_has_no_stacks_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
