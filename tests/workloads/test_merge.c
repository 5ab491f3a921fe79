/* merge.h and intake.h: streams written into a real spool by hand. */
#include "tests/unit.h"

#include "harness/base/rng.h"
#include "workloads/merge.h"

enum { STREAMS = 5, EACH = 3000, SEEN = STREAMS * EACH };

struct seen {
    uint64_t stamp[SEEN];
    uint32_t thread[SEEN];
    size_t count;
    uint64_t later; /* pointer that is refused until `after` came */
    uint64_t after;
};

struct fixture {
    struct spool spool;
    struct merge merge;
    struct merge_visitor visitor;
    struct seen seen;
    uint32_t used[STREAMS]; /* words in the stream's one chunk */
};

static bool refuses(struct seen *seen, const struct intake_record *record, bool last_call)
{
    if (record->pointer == seen->after)
        seen->later = 0;
    return seen->later && record->pointer == seen->later && !last_call;
}

static int visit(void *arg, uint32_t thread, const struct intake_record *record, bool last_call)
{
    struct seen *seen = arg;
    if (refuses(seen, record, last_call))
        return 1;
    seen->thread[seen->count] = thread;
    seen->stamp[seen->count++] = record->stamp;
    return 0;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.visitor = {.visit = visit, .arg = &fixture.seen, .slack = 10}};
    if (spool_create(&fixture.spool, NULL))
        return -1;
    for (uint32_t i = 0; i < STREAMS; i++)
        if (merge_add(&fixture.merge, &fixture.spool) ||
            intake_add(merge_intake(&fixture.merge, i), i))
            return -1;
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    merge_release(&fixture->merge);
    spool_destroy(&fixture->spool);
    return 0;
}

static void put_word(struct fixture *fixture, uint32_t stream, uint64_t word)
{
    struct spool_chunk *chunk = spool_chunk_at(fixture->spool.control, stream);
    assert_true(fixture->used[stream] < SPOOL_WORDS);
    chunk->words[fixture->used[stream]++] = word;
    chunk->taken = fixture->used[stream];
}

static void put(struct fixture *fixture, uint32_t stream, uint64_t stamp, uint64_t pointer)
{
    put_word(fixture, stream, SPOOL_MALLOC | SPOOL_STAMPED | pointer << SPOOL_POINTER_SHIFT);
    put_word(fixture, stream, stamp);
}

static void put_control(struct fixture *fixture, uint32_t stream, uint64_t what, uint64_t words)
{
    put_word(fixture, stream,
             SPOOL_CONTROL | what << SPOOL_SIZE_SHIFT | words << SPOOL_POINTER_SHIFT);
}

static int run(struct fixture *fixture, uint64_t limit, bool ended)
{
    return merge_run(&fixture->merge, limit, ended, &fixture->visitor);
}

static void streams_come_out_by_their_stamps(void **state)
{
    struct fixture *fixture = *state;
    struct rng rng;
    rng_init(&rng, 3);
    for (uint64_t stamp = 1; stamp <= SEEN; stamp++) {
        uint32_t stream = (uint32_t)rng_below(&rng, STREAMS);
        if (fixture->used[stream] / 2 < 2 * EACH)
            put(fixture, stream, stamp, 16 * stamp);
    }
    size_t written = 0;
    for (int i = 0; i < STREAMS; i++)
        written += fixture->used[i] / 2;
    assert_int_equal(run(fixture, SEEN / 2, false), 0);
    assert_int_equal(fixture->seen.stamp[fixture->seen.count - 1], SEEN / 2);
    assert_int_equal(run(fixture, SEEN, false), 0);
    assert_int_equal(fixture->seen.count, written);
    for (size_t i = 1; i < written; i++)
        assert_true(fixture->seen.stamp[i] > fixture->seen.stamp[i - 1]);
}

/* Its stamp may turn out to be any above the last one of its stream. */
static void a_record_under_way_bars_what_is_later(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, 0, 10, 160);
    put_control(fixture, 0, SPOOL_PENDING, 2);
    put_word(fixture, 0, 0);
    put(fixture, 1, 5, 80);
    put(fixture, 1, 20, 320);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(run(fixture, 100, false), 0);
        assert_int_equal(fixture->seen.count, 2);
    }
    struct spool_chunk *chunk = spool_chunk_at(fixture->spool.control, 0);
    chunk->words[3] = 15;
    chunk->words[2] = SPOOL_MALLOC | SPOOL_STAMPED | 240 << SPOOL_POINTER_SHIFT;
    assert_int_equal(run(fixture, 100, false), 0);
    assert_int_equal(fixture->seen.count, 4);
    assert_int_equal(fixture->seen.stamp[2], 15);
}

static void what_was_never_finished_is_counted(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, 0, 10, 160);
    put_control(fixture, 0, SPOOL_PENDING, 2);
    put_word(fixture, 0, 12);
    put(fixture, 0, 14, 224);
    assert_int_equal(run(fixture, 0, true), 0);
    assert_int_equal(fixture->seen.count, 2);
    assert_int_equal(merge_tally(&fixture->merge).lost, 1);
    assert_int_equal(merge_tally(&fixture->merge).stamped, 2);
}

/* A free and an allocation of one address whose stamps are a little early. */
static void a_record_waits_for_another_threads(void **state)
{
    struct fixture *fixture = *state;
    fixture->seen.later = 160;
    fixture->seen.after = 320;
    put(fixture, 0, 10, 160);
    put(fixture, 1, 12, 320);
    put(fixture, 2, 30, 480);
    assert_int_equal(run(fixture, 100, false), 0);
    assert_int_equal(fixture->seen.count, 3);
    assert_int_equal(fixture->seen.stamp[0], 12);
    assert_int_equal(fixture->seen.stamp[1], 10);
}

static void it_does_not_wait_for_ever(void **state)
{
    struct fixture *fixture = *state;
    fixture->seen.later = 160;
    fixture->seen.after = 320;
    put(fixture, 0, 10, 160);
    put(fixture, 1, 25, 320);
    assert_int_equal(run(fixture, 100, false), 0);
    assert_int_equal(fixture->seen.stamp[0], 10);
    assert_int_equal(fixture->seen.count, 2);
}

static void a_stream_may_be_of_several_threads(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, 0, 10, 160);
    put_control(fixture, 0, SPOOL_THREAD, 0);
    put(fixture, 0, 20, 320);
    assert_int_equal(run(fixture, 100, false), 0);
    assert_int_equal(fixture->seen.thread[0], 0);
    assert_int_equal(fixture->seen.thread[1], STREAMS);
    assert_int_equal(fixture->merge.threads, STREAMS + 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(streams_come_out_by_their_stamps),   CASE(a_record_under_way_bars_what_is_later),
        CASE(what_was_never_finished_is_counted), CASE(a_record_waits_for_another_threads),
        CASE(it_does_not_wait_for_ever),          CASE(a_stream_may_be_of_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
