/* Splitting: whatever order the lanes run in, each block is used as the recording used it. */
#include "harness/measure/split.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/pages.h"
#include "harness/base/rng.h"
#include "tests/harness/support/crowd.h"
#include "tests/unit.h"

/* What the recording does, operation by operation: the naive reference. */
struct expected {
    struct operation operation;
    uint32_t lane;
    size_t before; /* the block's operation before this one, NONE of its first */
    bool done;
};
#define NONE SIZE_MAX

/* What lies at each place of the table of refs. */
struct place_now {
    size_t last; /* the block's last operation done, NONE where there is no block */
};

struct trial {
    struct crowd_window opened;
    struct split split;
    struct lane *lanes;
    unsigned count;
    uint64_t *words;
    struct expected *expected; /* of the window */
    size_t *last;              /* of each object: its last operation, counted over all windows */
    struct place_now *places;
    size_t *next; /* of each lane: its next operation in `expected` */
    struct rng rng;
    unsigned favourite; /* the lane that runs whenever it can; `count` for any */
};

static void begin_trial(struct trial *trial, const struct crowd *crowd, unsigned lanes,
                        size_t words)
{
    *trial = (struct trial){.count = lanes};
    crowd_open(&trial->opened, crowd, words);
    size_t capacity = trial->opened.capacity, objects = trial->opened.window.objects;
    trial->words = pages_map(split_words(capacity, lanes) * sizeof *trial->words);
    trial->lanes = pages_map(lanes * sizeof *trial->lanes);
    assert_int_equal(split_init(&trial->split, trial->words, objects, capacity, lanes, NULL), 0);
    trial->expected = calloc(capacity, sizeof *trial->expected);
    trial->last = malloc(objects * sizeof *trial->last);
    trial->places = malloc(trial->split.slots.count * sizeof *trial->places);
    trial->next = calloc(lanes, sizeof *trial->next);
    memset(trial->last, 0xff, objects * sizeof *trial->last);
    memset(trial->places, 0xff, trial->split.slots.count * sizeof *trial->places);
    rng_init(&trial->rng, crowd->seed + lanes);
}

static void end_trial(struct trial *trial)
{
    pages_unmap(trial->words, split_words(trial->opened.capacity, trial->count) * 8);
    pages_unmap(trial->lanes, trial->count * sizeof *trial->lanes);
    split_release(&trial->split);
    crowd_close(&trial->opened);
    free(trial->expected);
    free(trial->last);
    free(trial->places);
    free(trial->next);
}

/* Operations are numbered over all windows, so that a block lives on from one to the next. */
static void expect_window(struct trial *trial, size_t base)
{
    const struct window *window = &trial->opened.window;
    const uint64_t *op = window->words;
    for (size_t i = 0; i < window->operations; i++) {
        struct expected *expected = &trial->expected[i];
        op = op_read(op, &expected->operation);
        size_t *last = &trial->last[expected->operation.object];
        expected->lane = window->threads[i] % trial->count;
        expected->before = *last;
        expected->done = false;
        *last = expected->operation.kind == OP_FREE ? NONE : base + i;
    }
}

static size_t next_of_lane(const struct trial *trial, unsigned lane)
{
    size_t i = trial->next[lane];
    while (i < trial->opened.window.operations && trial->expected[i].lane != lane)
        i++;
    return i;
}

/* Does the lane's next word, as a player would. */
static void step(struct trial *trial, unsigned lane, size_t base)
{
    struct operation got;
    const uint64_t word = *trial->lanes[lane].begin;
    trial->lanes[lane].begin = op_read(trial->lanes[lane].begin, &got);
    if (op_is_handover(word)) {
        assert_true(got.object < trial->split.given);
        if (op_kind(word) == OP_GIVE) {
            assert_int_equal(trial->split.handovers[got.object], HANDOVER_OPEN);
            trial->split.handovers[got.object] = HANDOVER_DONE;
        }
        return;
    }
    size_t i = next_of_lane(trial, lane);
    assert_true(i < trial->opened.window.operations);
    struct expected *expected = &trial->expected[i];
    struct place_now *place = &trial->places[got.object];
    assert_true(got.object < trial->split.slots.count);
    assert_int_equal(got.kind, expected->operation.kind);
    assert_int_equal(got.size, expected->operation.size);
    assert_int_equal(got.extra, expected->operation.extra);
    /* The place holds exactly the state that the block's operation before has left. */
    assert_int_equal(place->last, expected->before);
    place->last = got.kind == OP_FREE ? NONE : base + i;
    expected->done = true;
    trial->next[lane] = i + 1;
}

static bool may_step(const struct trial *trial, unsigned lane)
{
    const struct lane *it = &trial->lanes[lane];
    if (it->begin == it->end)
        return false;
    return op_kind(*it->begin) != OP_TAKE ||
           trial->split.handovers[op_object(*it->begin)] == HANDOVER_DONE;
}

/* Some lane can always go on until all are at their ends. */
static bool step_any(struct trial *trial, size_t base)
{
    unsigned lane = trial->favourite;
    if (lane == trial->count || !may_step(trial, lane)) {
        unsigned first = (unsigned)rng_below(&trial->rng, trial->count), tried = 0;
        for (lane = first; !may_step(trial, lane); lane = (lane + 1) % trial->count)
            if (++tried == trial->count)
                return false;
    }
    step(trial, lane, base);
    return true;
}

static void play_windows(struct trial *trial)
{
    struct window *window = &trial->opened.window;
    size_t base = 0;
    while (window_fill(window, NULL) == 1) {
        expect_window(trial, base);
        split_window(&trial->split, window, trial->lanes);
        memset(trial->next, 0, trial->count * sizeof *trial->next);
        trial->favourite = (unsigned)rng_below(&trial->rng, trial->count + 1);
        while (step_any(trial, base))
            continue;
        for (unsigned lane = 0; lane < trial->count; lane++)
            assert_ptr_equal(trial->lanes[lane].begin, trial->lanes[lane].end);
        for (size_t i = 0; i < window->operations; i++) {
            assert_true(trial->expected[i].done);
            assert_int_equal(window->threads[i], trial->expected[i].lane);
        }
        base += window->operations;
    }
    for (size_t i = 0; i < trial->split.slots.count; i++)
        assert_int_equal(trial->places[i].last, NONE);
}

static void any_order_is_sound(void **state)
{
    (void)state;
    static const struct crowd crowds[] = {
        {.threads = 2, .events = 4000, .live = 3, .cross_share = 80, .switch_share = 60, .seed = 1},
        {.threads = 3,
         .events = 20000,
         .live = 50,
         .cross_share = 30,
         .switch_share = 20,
         .seed = 2},
        {.threads = 40,
         .events = 20000,
         .live = 400,
         .cross_share = 11,
         .switch_share = 5,
         .seed = 3},
        {.threads = 9,
         .events = 20000,
         .live = 2000,
         .cross_share = 100,
         .switch_share = 90,
         .seed = 4},
        {.threads = 1, .events = 3000, .live = 40, .cross_share = 0, .switch_share = 0, .seed = 5},
    };
    static const size_t windows[] = {37, 1000, WINDOW_WORDS};
    for (size_t i = 0; i < sizeof crowds / sizeof *crowds; i++)
        for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
            for (unsigned fold = 1; fold <= crowds[i].threads && fold <= 4; fold *= 2) {
                struct trial trial;
                begin_trial(&trial, &crowds[i], crowds[i].threads / fold, windows[w]);
                play_windows(&trial);
                end_trial(&trial);
            }
}

/* One window, in which a block is handed from the first lane to the second and another is not. */
static void only_what_must_is_handed_over(void **state)
{
    (void)state;
    static const struct crowd alone = {
        .threads = 6, .events = 5000, .live = 100, .cross_share = 0, .switch_share = 30, .seed = 6};
    struct trial trial;
    begin_trial(&trial, &alone, 6, WINDOW_WORDS);
    assert_int_equal(window_fill(&trial.opened.window, NULL), 1);
    split_window(&trial.split, &trial.opened.window, trial.lanes);
    /* Nobody uses another's block, though all take each other's numbers. */
    assert_int_equal(trial.split.given, 0);
    end_trial(&trial);
}

static void places_are_for_all_after_the_window(void **state)
{
    (void)state;
    struct slots slots;
    enum { LIVE = 20, OPERATIONS = 40, LANES = 3 };
    size_t count = slots_needed(LIVE, OPERATIONS, LANES);
    assert_int_equal(slots_init(&slots, count, LANES, NULL), 0);
    for (int window = 0; window < 50; window++) {
        uint32_t places[LIVE];
        for (size_t i = 0; i < LIVE; i++) {
            places[i] = slots_take(&slots, 0);
            for (size_t j = 0; j < i; j++)
                assert_int_not_equal(places[i], places[j]);
        }
        for (size_t i = 0; i < LIVE; i++)
            slots_give(&slots, 1, places[i]);
        /* The third lane takes none that the second has freed. */
        uint32_t fresh = slots_take(&slots, 2);
        for (size_t i = 0; i < LIVE; i++)
            assert_int_not_equal(fresh, places[i]);
        assert_int_equal(slots_take(&slots, 1), places[LIVE - 1]);
        slots_give(&slots, 1, places[LIVE - 1]);
        slots_give(&slots, 2, fresh);
        slots_settle(&slots);
    }
    slots_release(&slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_is_sound),
        cmocka_unit_test(only_what_must_is_handed_over),
        cmocka_unit_test(places_are_for_all_after_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
