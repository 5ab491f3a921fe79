/* Windows: what is decoded, what is left out, what is refused; and the player over them. */
#include "harness/measure/window.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/pages.h"
#include "harness/base/rng.h"
#include "harness/measure/player.h"
#include "tests/unit.h"
#include "workloads/writer.h"

static char path[64];
static uint32_t with_sites; /* TRACE_HAS_SITES, or 0 */

static void write_trace(const struct trace_event *events, size_t count)
{
    struct trace_writer *writer;
    struct err err;
    const struct trace_origin origin = {.program = "test",
                                        .arguments = "",
                                        .host = "",
                                        .tool = "",
                                        .source = "",
                                        .losses = "",
                                        .columns = with_sites};
    snprintf(path, sizeof path, "/tmp/heapbench-window.%d", (int)getpid());
    assert_int_equal(trace_writer_create(&writer, path, &origin, &err), 0);
    for (size_t i = 0; i < count; i++)
        if (trace_writer_add(writer, &events[i], &err))
            fail_msg("%s", err.text);
    assert_int_equal(trace_writer_finish(writer, &err), 0);
}

struct opened {
    struct trace_reader *reader;
    struct window window;
    size_t capacity;
};

static void open_window(struct opened *opened, size_t words, bool places)
{
    struct err err;
    if (trace_reader_open(&opened->reader, path, &err))
        fail_msg("%s", err.text);
    opened->capacity = window_capacity(trace_reader_summary(opened->reader), words);
    uint64_t *memory = pages_map(opened->capacity * sizeof *memory);
    assert_int_equal(
        window_init(&opened->window, opened->reader, memory, opened->capacity, places, &err), 0);
}

static void close_window(struct opened *opened)
{
    pages_unmap(opened->window.words, opened->capacity * sizeof(uint64_t));
    window_release(&opened->window);
    trace_reader_close(opened->reader);
    unlink(path);
}

static const struct trace_event mixed[] = {
    {.kind = TRACE_MALLOC, .object = 0, .size = 24},
    {.kind = TRACE_MALLOC, .object = TRACE_NO_OBJECT, .size = 77, .flags = TRACE_FAILED},
    {.kind = TRACE_CALLOC, .object = 1, .size = 0},
    {.kind = TRACE_MALLOC, .object = 2, .size = (uint64_t)1 << 33},
    {.kind = TRACE_ALIGNED, .object = 3, .size = 100, .align_log2 = 12},
    {.kind = TRACE_REALLOC, .object = 0, .size = 48},
    {.kind = TRACE_REALLOC, .object = 2, .size = 10},
    {.kind = TRACE_FREE, .object = TRACE_NO_OBJECT},
    {.kind = TRACE_REALLOC, .object = 0, .size = 5000, .flags = TRACE_FAILED},
    {.kind = TRACE_REALLOC, .object = 0, .size = (uint64_t)1 << 30},
    {.kind = TRACE_FREE, .object = 1},
};

static const struct {
    struct operation operation;
    uint64_t event, asked;
} expected[] = {
    {{OP_MALLOC, 0, 24, 0, {0}}, 0, 24},
    {{OP_CALLOC, 1, 1, 0, {0}}, 2, 0},
    {{OP_MALLOC, 2, (uint64_t)1 << 33, 0, {0}}, 3, (uint64_t)1 << 33},
    {{OP_ALIGNED, 3, 100, 4096, {0}}, 4, 100},
    {{OP_REALLOC, 0, 48, 24, {0}}, 5, 48},
    {{OP_REALLOC, 2, 10, (uint64_t)1 << 33, {0}}, 6, 10},
    {{OP_REALLOC, 0, (uint64_t)1 << 30, 48, {0}}, 9, (uint64_t)1 << 30},
    {{OP_FREE, 1, 0, 0, {0}}, 10, 0},
};
enum { EXPECTED = sizeof expected / sizeof *expected };

/* With and without places: the two ways of decoding say the same. */
static void every_kind_is_decoded(void **state)
{
    (void)state;
    for (int places = 0; places < 2; places++) {
        struct opened opened;
        write_trace(mixed, sizeof mixed / sizeof *mixed);
        open_window(&opened, WINDOW_WORDS, places);
        assert_int_equal(window_fill(&opened.window, NULL), 1);
        assert_int_equal(opened.window.operations, EXPECTED);
        const uint64_t *op = opened.window.words;
        for (size_t i = 0; i < EXPECTED; i++) {
            struct operation got;
            op = op_read(op, &got);
            assert_int_equal(got.kind, expected[i].operation.kind);
            assert_int_equal(got.object, expected[i].operation.object);
            assert_int_equal(got.size, expected[i].operation.size);
            assert_int_equal(got.extra, expected[i].operation.extra);
            if (places) {
                assert_int_equal(opened.window.places[i].event, expected[i].event);
                assert_int_equal(opened.window.places[i].size, expected[i].asked);
            }
        }
        assert_ptr_equal(op, opened.window.words + opened.window.count);
        assert_int_equal(opened.window.by_kind[OP_REALLOC], 3);
        assert_int_equal(window_fill(&opened.window, NULL), 0);
        close_window(&opened);
    }
}

/* Told with the operation, but where nobody wants it; a number used again begins anew. */
static void touched_pages_come_with_their_operations(void **state)
{
    (void)state;
    static const struct trace_event events[] = {
        {.object = 0, .size = 100000, .touched_pages = 3},
        {.object = 1, .size = 100000},
        {.kind = TRACE_REALLOC, .object = 0, .size = 200000, .touched_pages = 9},
        {.kind = TRACE_REALLOC, .object = 0, .size = 300000},
        {.kind = TRACE_REALLOC, .object = 1, .size = (uint64_t)1 << 40, .touched_pages = 4},
        {.kind = TRACE_FREE, .object = 1},
        {.kind = TRACE_ALIGNED, .object = 1, .size = 50000, .align_log2 = 12, .touched_pages = 2},
        {.kind = TRACE_FREE, .object = 1},
        {.object = 1, .size = 50000},
        {.kind = TRACE_REALLOC, .object = 1, .size = 60000, .touched_pages = 5},
    };
    static const struct op_touched told[] = {{0, 3}, {0, 0}, {3, 9}, {9, 0}, {0, 4},
                                             {0, 0}, {0, 2}, {0, 0}, {0, 0}, {0, 5}};
    enum { COUNT = sizeof told / sizeof *told };
    for (int wanted = 0; wanted < 4; wanted++) {
        struct opened opened;
        write_trace(events, COUNT);
        open_window(&opened, WINDOW_WORDS, wanted & 2);
        if (wanted & 1)
            assert_int_equal(window_want_touched(&opened.window, NULL), 0);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(window_fill(&opened.window, NULL), 1);
            const uint64_t *op = opened.window.words;
            for (size_t i = 0; i < COUNT; i++) {
                struct operation got;
                op = op_read(op, &got);
                assert_int_equal(got.kind, events[i].kind == TRACE_MALLOC    ? OP_MALLOC
                                           : events[i].kind == TRACE_REALLOC ? OP_REALLOC
                                           : events[i].kind == TRACE_FREE    ? OP_FREE
                                                                             : OP_ALIGNED);
                assert_int_equal(got.size, events[i].size);
                assert_int_equal(got.touched.before, wanted & 1 ? told[i].before : 0);
                assert_int_equal(got.touched.pages, wanted & 1 ? told[i].pages : 0);
            }
            assert_ptr_equal(op, opened.window.words + opened.window.count);
            assert_int_equal(window_rewind(&opened.window, NULL), 0);
        }
        close_window(&opened);
    }
}

/* A program of small blocks, made up but the same each time. */
enum { EVENTS = 100000, LIVE = 500 };
static struct trace_event program[EVENTS];

static void make_program(void)
{
    static bool live[LIVE];
    struct rng rng;
    rng_init(&rng, 11);
    memset(live, 0, sizeof live);
    for (size_t i = 0; i < EVENTS; i++) {
        uint32_t object = (uint32_t)rng_below(&rng, LIVE);
        uint64_t size = rng_below(&rng, 3000);
        program[i] = (struct trace_event){.object = object, .size = size};
        if (live[object] && rng_below(&rng, 4) == 0) {
            program[i].kind = TRACE_REALLOC;
            continue;
        }
        program[i].kind = live[object] ? TRACE_FREE : size % 5 ? TRACE_MALLOC : TRACE_CALLOC;
        if (live[object])
            program[i].size = 0;
        live[object] = !live[object];
    }
    write_trace(program, EVENTS);
}

static void small_windows_say_the_same_as_one(void **state)
{
    (void)state;
    make_program();
    struct opened whole, parts;
    open_window(&whole, WINDOW_WORDS, false);
    open_window(&parts, 1000, false);
    assert_int_equal(window_fill(&whole.window, NULL), 1);
    assert_int_equal(whole.window.operations, EVENTS);
    size_t seen = 0;
    for (int round = 0; round < 2; round++, seen = 0) {
        while (window_fill(&parts.window, NULL) == 1) {
            assert_memory_equal(parts.window.words, whole.window.words + seen,
                                parts.window.count * sizeof(uint64_t));
            seen += parts.window.count;
        }
        assert_int_equal(seen, whole.window.count);
        assert_int_equal(window_rewind(&parts.window, NULL), 0);
    }
    close_window(&parts);
    close_window(&whole);
}

/* ---- a heap that notes what it is asked ------------------------------------------------------ */

enum { SLOTS = 4 * LIVE, SLOT = 4096 };
struct noting {
    struct heap heap;
    size_t calls[OP_LARGE];
    size_t refuse_every; /* 0 never */
    size_t asked;
    bool taken[SLOTS];
    uint64_t sizes[SLOTS];
    char memory[SLOTS][SLOT];
};
static struct noting noting;

static void *noting_take(size_t size, enum op_kind kind)
{
    noting.calls[kind]++;
    if (noting.refuse_every && ++noting.asked % noting.refuse_every == 0)
        return NULL;
    for (size_t i = 0; i < SLOTS; i++)
        if (!noting.taken[i]) {
            noting.taken[i] = true;
            noting.sizes[i] = size;
            return noting.memory[i];
        }
    return NULL;
}

static size_t noting_slot(void *ref)
{
    size_t slot = (size_t)((char *)ref - noting.memory[0]) / SLOT;
    assert_true(slot < SLOTS && noting.taken[slot] && ref == noting.memory[slot]);
    return slot;
}

static void *noting_alloc(struct heap *heap, size_t size)
{
    (void)heap;
    return noting_take(size, OP_MALLOC);
}

static void *noting_zalloc(struct heap *heap, size_t size)
{
    (void)heap;
    return noting_take(size, OP_CALLOC);
}

static void noting_free(struct heap *heap, void *ref)
{
    (void)heap;
    noting.calls[OP_FREE]++;
    noting.taken[noting_slot(ref)] = false;
}

static void *noting_realloc(struct heap *heap, void *ref, size_t old_size, size_t size)
{
    (void)heap;
    size_t slot = noting_slot(ref);
    assert_int_equal(noting.sizes[slot], old_size);
    noting.calls[OP_REALLOC]++;
    if (noting.refuse_every && ++noting.asked % noting.refuse_every == 0)
        return NULL;
    noting.sizes[slot] = size;
    return ref;
}

static const struct allocator noting_table = {
    .name = "noting",
    .align = 16,
    .alloc = noting_alloc,
    .zalloc = noting_zalloc,
    .free = noting_free,
    .realloc = noting_realloc,
};

static void start_noting(size_t refuse_every)
{
    memset(&noting, 0, sizeof noting);
    noting.heap.ops = &noting_table;
    noting.refuse_every = refuse_every;
}

static struct player play(struct opened *opened, enum touch touch, enum clock_kind clock,
                          uint64_t *ticks)
{
    static void *refs[LIVE + 1];
    struct player player = {.heap = &noting.heap, .refs = refs};
    memset(refs, 0, sizeof refs);
    assert_int_equal(window_rewind(&opened->window, NULL), 0);
    assert_int_equal(window_fill(&opened->window, NULL), 1);
    const uint64_t *words = opened->window.words, *end = words + opened->window.count;
    if (ticks)
        player_run_timed(&player, words, end, touch, clock, ticks);
    else
        player_run(&player, words, end, touch);
    assert_ptr_equal(player.at, end);
    return player;
}

static size_t asked_for(const struct opened *opened, enum op_kind kind)
{
    return (size_t)opened->window.by_kind[kind];
}

static void the_player_calls_each_once(void **state)
{
    (void)state;
    static uint64_t ticks[EVENTS];
    struct opened opened;
    make_program();
    open_window(&opened, WINDOW_WORDS, false);
    for (int touch = TOUCH_NONE; touch < TOUCHES; touch++)
        for (int clock = 0; clock <= CLOCK_KINDS; clock++) {
            start_noting(0);
            struct player player = play(&opened, (enum touch)touch, (enum clock_kind)clock,
                                        clock < CLOCK_KINDS ? ticks : NULL);
            assert_int_equal(player.failed_allocations, 0);
            for (int kind = 0; kind < OP_LARGE; kind++)
                assert_int_equal(noting.calls[kind], asked_for(&opened, (enum op_kind)kind));
        }
    for (size_t i = 0; i < EVENTS; i++)
        assert_true(ticks[i] != PLAYER_SKIPPED);
    close_window(&opened);
}

/* What was refused is neither freed nor resized later, and nothing else goes astray. */
static void refusals_are_counted_and_skipped(void **state)
{
    (void)state;
    static uint64_t ticks[EVENTS];
    struct opened opened;
    make_program();
    open_window(&opened, WINDOW_WORDS, false);
    start_noting(7);
    struct player player = play(&opened, TOUCH_PAGE, CLOCK_SYSTEM, ticks);
    assert_int_equal(player.failed_allocations, noting.asked / 7);
    assert_int_equal(noting.calls[OP_REALLOC],
                     asked_for(&opened, OP_REALLOC) - player.skipped_reallocs);
    /* A block whose realloc fails is freed in its place. */
    assert_int_equal(noting.calls[OP_FREE],
                     asked_for(&opened, OP_FREE) - player.skipped_frees + player.failed_reallocs);
    size_t skipped = 0;
    for (size_t i = 0; i < EVENTS; i++)
        skipped += ticks[i] == PLAYER_SKIPPED;
    assert_int_equal(skipped, player.skipped_reallocs + player.skipped_frees);
    assert_true(player.skipped_reallocs > 0 && player.failed_reallocs > 0);
    close_window(&opened);
}

static size_t touched_bytes(enum touch touch, size_t offset, size_t from, size_t size)
{
    static char memory[5 * 4096] __attribute__((aligned(4096)));
    memset(memory, 0, sizeof memory);
    touch_block(memory + offset, from, size, touch);
    size_t touched = 0;
    for (size_t i = 0; i < sizeof memory; i++) {
        touched += memory[i] != 0;
        if (memory[i])
            assert_in_range(i, offset + from, offset + size - 1);
    }
    return touched;
}

static void a_touch_is_one_byte_a_page(void **state)
{
    (void)state;
    assert_int_equal(touched_bytes(TOUCH_NONE, 0, 0, 9000), 0);
    assert_int_equal(touched_bytes(TOUCH_FIRST, 16, 0, 9000), 1);
    assert_int_equal(touched_bytes(TOUCH_ALL, 16, 5, 9000), 8995);
    assert_int_equal(touched_bytes(TOUCH_PAGE, 0, 0, 4096), 1);
    assert_int_equal(touched_bytes(TOUCH_PAGE, 0, 0, 4097), 2);
    assert_int_equal(touched_bytes(TOUCH_PAGE, 4000, 0, 200), 2);
    assert_int_equal(touched_bytes(TOUCH_PAGE, 16, 0, 12288), 4);
    assert_int_equal(touched_bytes(TOUCH_PAGE, 16, 9000, 9000), 0);
    assert_int_equal(touched_bytes(TOUCH_PAGE, 16, 8000, 9000), 2);
}

static bool site_seven(const void *arg, uint32_t site)
{
    (void)arg;
    return site == 7;
}

static bool size_forty_eight(const void *arg, uint64_t size)
{
    (void)arg;
    return size == 48;
}

/* Object 0 is of the site; 1 has the size, and grows out of it and into it again; 2 stays. The
 * number of 0 is taken again by one that stays. */
static void what_is_left_out_was_never_asked_for(void **state)
{
    (void)state;
    static const struct trace_event events[] = {
        {.kind = TRACE_MALLOC, .object = 0, .size = 24, .site = 7},
        {.kind = TRACE_MALLOC, .object = 1, .size = 48, .site = 8},
        {.kind = TRACE_CALLOC, .object = 2, .size = 100, .site = 8},
        {.kind = TRACE_REALLOC, .object = 0, .size = 30, .site = 8},
        {.kind = TRACE_REALLOC, .object = 1, .size = 60, .site = 7},
        {.kind = TRACE_FREE, .object = 0},
        {.kind = TRACE_REALLOC, .object = 1, .size = 70, .site = 8},
        {.kind = TRACE_REALLOC, .object = 1, .size = 48, .site = 8},
        {.kind = TRACE_FREE, .object = 1},
        {.kind = TRACE_MALLOC, .object = 1, .size = 5, .site = 8},
        {.kind = TRACE_FREE, .object = 2},
    };
    static const struct operation left[] = {
        {OP_CALLOC, 2, 100, 0, {0}}, {OP_MALLOC, 1, 60, 0, {0}}, {OP_REALLOC, 1, 70, 60, {0}},
        {OP_FREE, 1, 0, 0, {0}},     {OP_MALLOC, 1, 5, 0, {0}},  {OP_FREE, 2, 0, 0, {0}},
    };
    static const uint64_t where[] = {2, 4, 6, 7, 9, 10};
    const struct window_left_out out = {site_seven, size_forty_eight, NULL};
    struct opened opened;
    with_sites = TRACE_HAS_SITES;
    write_trace(events, sizeof events / sizeof *events);
    with_sites = 0;
    open_window(&opened, WINDOW_WORDS, true);
    opened.window.left_out = &out;
    assert_int_equal(window_fill(&opened.window, NULL), 1);
    assert_int_equal(opened.window.operations, sizeof left / sizeof *left);
    const uint64_t *op = opened.window.words;
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        struct operation got;
        op = op_read(op, &got);
        assert_int_equal(got.kind, left[i].kind);
        assert_int_equal(got.object, left[i].object);
        assert_int_equal(got.size, left[i].size);
        assert_int_equal(got.extra, left[i].extra);
        assert_int_equal(opened.window.places[i].event, where[i]);
    }
    assert_int_equal(window_fill(&opened.window, NULL), 0);
    close_window(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_decoded),
        cmocka_unit_test(touched_pages_come_with_their_operations),
        cmocka_unit_test(small_windows_say_the_same_as_one),
        cmocka_unit_test(the_player_calls_each_once),
        cmocka_unit_test(refusals_are_counted_and_skipped),
        cmocka_unit_test(a_touch_is_one_byte_a_page),
        cmocka_unit_test(what_is_left_out_was_never_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
