/* express.h: rows give the same trace, byte for byte, as records that are visited one by one. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "workloads/express.h"
#include "workloads/merge.h"
#include "workloads/session.h"

enum {
    STREAMS = 4,
    CHUNKS = 12, /* of each stream, one after the other: enough for more than one block */
    ADDRESSES = 5000,
    STACKS = 50,
    TRACE_MOST = 16 << 20,
};

struct script {
    struct spool spool;
    struct rng rng;
    struct spool_chunk *chunk;
    uint32_t filled[STREAMS]; /* chunks */
    uint32_t used[STREAMS];   /* words of the last */
    uint32_t order[STREAMS * CHUNKS], orders;
    uint64_t stamp, last[STREAMS]; /* of all, and of each */
    bool stamp_always, has_stacks;
    uint64_t spread; /* of addresses */
};

static struct spool_chunk *chunk_of(struct script *script, uint32_t stream)
{
    return spool_chunk_at(script->spool.control, stream * CHUNKS + script->filled[stream]);
}

static bool has_room(struct script *script, uint32_t stream, uint32_t words)
{
    if (script->used[stream] + words <= SPOOL_WORDS)
        return true;
    struct spool_chunk *chunk = chunk_of(script, stream);
    if (script->used[stream] < SPOOL_WORDS)
        chunk->words[script->used[stream]] = SPOOL_CONTROL | SPOOL_END << SPOOL_SIZE_SHIFT;
    chunk->taken = SPOOL_WORDS + 1;
    script->used[stream] = 0;
    return ++script->filled[stream] < CHUNKS;
}

static void put(struct script *script, uint32_t stream, uint64_t word)
{
    struct spool_chunk *chunk = chunk_of(script, stream);
    chunk->words[script->used[stream]++] = word;
    chunk->taken = script->used[stream];
}

static uint64_t address(struct script *script)
{
    uint64_t number = rng_below(&script->rng, ADDRESSES);
    uint64_t odd = rng_below(&script->rng, 100) ? 0 : 8;
    return UINT64_C(0x7f0000000000) + number * script->spread + odd;
}

/* A call stack's number, hash and one address; some come behind their first use. */
static void put_stack(struct script *script, uint32_t stream)
{
    uint64_t number = 1 + rng_below(&script->rng, STACKS);
    put(script, stream,
        SPOOL_CONTROL | SPOOL_STACK << SPOOL_SIZE_SHIFT | UINT64_C(5) << SPOOL_POINTER_SHIFT);
    put(script, stream, 0);
    put(script, stream, number);
    put(script, stream, 1000 + number);
    put(script, stream, 4096 * number);
}

/* Where one word may tell the stamp: whether it does. */
static bool put_stepped(struct script *script, uint32_t stream, uint64_t head)
{
    uint64_t stamp = (script->stamp + 1) >> 1 << 1 | spool_allocates(head & 7);
    uint64_t step = spool_step(stamp, script->last[stream]);
    if ((head >> SPOOL_POINTER_SHIFT) % SPOOL_STEPS || step >= SPOOL_STEPS ||
        !rng_below(&script->rng, 3))
        return false;
    script->last[stream] = script->stamp = stamp;
    put(script, stream, head | SPOOL_STEPPED | step << SPOOL_POINTER_SHIFT);
    return true;
}

/* Any record that a program or an accident can leave, most of them plain. */
static bool put_record(struct script *script, uint32_t stream)
{
    static const uint8_t kinds[] = {SPOOL_MALLOC, SPOOL_MALLOC, SPOOL_MALLOC, SPOOL_CALLOC,
                                    SPOOL_FREE,   SPOOL_FREE,   SPOOL_FREE,   SPOOL_FREE};
    struct rng *rng = &script->rng;
    uint64_t kind = rng_below(rng, 20) ? kinds[rng_below(rng, sizeof kinds)] : SPOOL_ALIGNED;
    bool moves = rng_below(rng, 30) == 0, stamped = script->stamp_always || rng_below(rng, 3);
    uint64_t size = kind == SPOOL_FREE ? 0 : rng_below(rng, rng_below(rng, 9) ? 1000 : 200000);
    bool sized = size >= SPOOL_SMALL, allocates = kind != SPOOL_FREE;
    bool sited = script->has_stacks && allocates && !moves && rng_below(rng, 10);
    if (!has_room(script, stream, 16))
        return false;
    if (script->has_stacks && rng_below(rng, 100) == 0)
        put_stack(script, stream);
    script->stamp += stamped ? 1 + rng_below(rng, rng_below(rng, 3) ? 8 : 300) : 0;
    if (moves) {
        put(script, stream, SPOOL_RELEASE | address(script) << SPOOL_POINTER_SHIFT);
        kind = SPOOL_RESIZE;
    }
    uint64_t at = rng_below(rng, 200) ? address(script) : 0;
    uint64_t head = kind | (sized ? 0 : size << SPOOL_SIZE_SHIFT) | at << SPOOL_POINTER_SHIFT;
    if (stamped && !sized && !sited && kind != SPOOL_ALIGNED && put_stepped(script, stream, head))
        return true;
    put(script, stream,
        head | (stamped ? SPOOL_STAMPED : 0) | (sited ? SPOOL_SITED : 0) |
            (sized ? SPOOL_SIZED : 0));
    if (stamped)
        put(script, stream, script->last[stream] = script->stamp);
    if (sized)
        put(script, stream, size);
    if (kind == SPOOL_ALIGNED)
        put(script, stream, UINT64_C(1) << rng_below(rng, 12));
    if (sited)
        put(script, stream, 1 + rng_below(rng, STACKS));
    return true;
}

/* Threads take turns of a few records and of many. */
static void write_script(struct script *script)
{
    uint32_t stream = 0, left = 0;
    do {
        if (!left--) {
            stream = (uint32_t)rng_below(&script->rng, STREAMS);
            left = (uint32_t)rng_below(&script->rng, rng_below(&script->rng, 2) ? 4 : 3000);
        }
    } while (put_record(script, stream));
}

static void make_spool(struct script *script)
{
    assert_int_equal(spool_create(&script->spool, NULL), 0);
    struct spool_control *control = script->spool.control;
    while (atomic_load(&control->allocated) < STREAMS * CHUNKS) {
        atomic_store(&control->held, atomic_load(&control->allocated));
        spool_extend(&script->spool);
    }
}

static size_t read_trace(const char *path, uint8_t *to)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t bytes = fread(to, 1, TRACE_MOST, file);
    fclose(file);
    return bytes;
}

/* The trace of the script, in `to`; its length. */
static size_t drain(uint64_t seed, uint32_t columns, bool by_rows, uint8_t *to)
{
    char path[] = "/tmp/heapbench-express-XXXXXX";
    struct script script = {.stamp_always = columns & TRACE_HAS_TIMES,
                            .has_stacks = columns & TRACE_HAS_SITES,
                            .spread = seed % 2 ? 48 : 1024};
    struct err err = {0};
    struct session session;
    struct merge merge = {0};
    const struct trace_origin origin = {.columns = columns};
    const struct merge_visitor visitor = {session_visit, by_rows ? express_run : NULL, &session, 0};
    close(mkstemp(path));
    unlink(path);
    rng_init(&script.rng, seed);
    make_spool(&script);
    write_script(&script);
    assert_int_equal(session_init(&session, path, &origin, &err), 0);
    session.ns_per_tick = columns & TRACE_HAS_TIMES ? 0.7 : 0;
    for (uint32_t i = 0; i < STREAMS; i++) {
        assert_int_equal(merge_add(&merge, &script.spool), 0);
        for (uint32_t j = 0; j < CHUNKS && j <= script.filled[i]; j++)
            assert_int_equal(intake_add(merge_intake(&merge, i), i * CHUNKS + j), 0);
    }
    for (uint64_t limit = 0; limit < script.stamp; limit += script.stamp / 7 + 1)
        assert_int_equal(merge_run(&merge, limit, false, &visitor), 0);
    assert_int_equal(merge_run(&merge, 0, true, &visitor), 0);
    assert_int_equal(session_finish(&session, merge_tally(&merge).lost), 0);
    session_release(&session);
    merge_release(&merge);
    spool_destroy(&script.spool);
    size_t bytes = read_trace(path, to);
    unlink(path);
    return bytes;
}

static void compare(uint64_t seed, uint32_t columns)
{
    uint8_t *one = malloc(TRACE_MOST), *other = malloc(TRACE_MOST);
    assert_true(one && other);
    size_t bytes = drain(seed, columns, false, one);
    assert_true(bytes > 100000);
    assert_int_equal(drain(seed, columns, true, other), bytes);
    assert_memory_equal(one, other, bytes);
    free(one);
    free(other);
}

static void rows_give_the_same_trace(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++)
        compare(seed, TRACE_HAS_THREADS);
}

static void rows_give_the_same_times(void **state)
{
    (void)state;
    compare(5, TRACE_HAS_THREADS | TRACE_HAS_TIMES);
    compare(6, TRACE_HAS_THREADS | TRACE_HAS_TIMES);
}

static void rows_give_the_same_call_stacks(void **state)
{
    (void)state;
    compare(7, TRACE_HAS_THREADS | TRACE_HAS_SITES);
    compare(8, TRACE_HAS_THREADS | TRACE_HAS_SITES | TRACE_HAS_TIMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_give_the_same_trace),
        cmocka_unit_test(rows_give_the_same_times),
        cmocka_unit_test(rows_give_the_same_call_stacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
