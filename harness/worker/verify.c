/* The verify pass: is what the allocator hands out really the caller's own?
 *
 * Every block is filled, to the last usable byte, with a pattern that no other block has, and
 * looked at again before it is freed or resized and at the end: a byte that changed was handed out
 * twice or written by the allocator. Alignment, zeroing by calloc and the contents kept by realloc
 * are checked on the way.
 *
 * Threads and processes call at once, so that a lock that does not hold shows: a block that two of
 * them got, or that one frees while another gets it, has lost its pattern when its owner looks. Or,
 * as-recorded, they take turns in exactly the recorded order, twice the same. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/pages.h"
#include "harness/worker/jolt.h"
#include "harness/worker/pattern.h"
#include "harness/worker/worker.h"

/* Each thread is jolted so often, while it has something to do. */
enum { VERIFY_JOLT_NS = 50000 };

struct verified {
    uint64_t seed;    /* of its pattern; 0: the block is gone */
    size_t filled;    /* bytes */
    uint64_t written; /* operation that wrote it, of */
    uint32_t lane;
};

/* In shared memory: lanes may be processes. */
struct verify {
    struct worker *worker;
    bool usable_known;
    bool together;           /* lanes call at once */
    struct verified *blocks; /* one an object number */
    struct verifier *lanes;  /* one a lane; of those that take turns, the first */
    _Atomic uint64_t wrong;
};

/* A lane's. */
struct verifier {
    _Alignas(128) struct verify *verify;
    struct heap *heap;     /* as its process sees it */
    struct player *player; /* that counts */
    uint32_t lane;
    uint64_t operation; /* number of the one under way: of its own, or in turns of all */
    uint64_t checked;
    struct jolt jolt;
};

/* ---- what is wrong --------------------------------------------------------------------------- */

static int verify_place(const struct verifier *lane, char *text, size_t length)
{
    if (lane->verify->together)
        return snprintf(text, length, "thread %" PRIu32 ", its operation %" PRIu64 ": ", lane->lane,
                        lane->operation);
    return snprintf(text, length, "operation %" PRIu64 ": ", lane->operation);
}

/* The first fault is told in words, all are counted. */
static void verify_fault(struct verifier *lane, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void verify_fault(struct verifier *lane, const char *format, ...)
{
    struct cell_result *result = lane->verify->worker->result;
    uint64_t before = atomic_fetch_add(&lane->verify->wrong, 1);
    result->faults_found = before + 1;
    if (before > 0)
        return;
    int length = verify_place(lane, result->detail, sizeof result->detail);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->detail + length, sizeof result->detail - (size_t)length, format, arguments);
    va_end(arguments);
}

/* ---- the checks ------------------------------------------------------------------------------ */

static size_t verify_usable(struct verifier *lane, void *ref, size_t size)
{
    if (!lane->verify->usable_known)
        return size;
    size_t usable = heap_usable_size(lane->heap, ref, size);
    if (usable < size)
        verify_fault(lane, "a block of %zu bytes says that %zu are usable", size, usable);
    return usable < size ? size : usable;
}

static void verify_contents(struct verifier *lane, uint32_t object, const char *block, size_t size)
{
    const struct verified *known = &lane->verify->blocks[object];
    size_t at = pattern_differs(block, size, known->seed);
    if (at < size)
        verify_fault(lane,
                     "byte %zu of the block of %zu bytes at %p, written by operation %" PRIu64
                     "%s, has changed: it was handed out twice, or the allocator wrote into it",
                     at, known->filled, (const void *)block, known->written,
                     known->lane == lane->lane ? "" : " of another thread");
}

static void verify_whole(struct verifier *lane, uint32_t object, void *ref)
{
    verify_contents(lane, object, heap_resolve(lane->heap, ref),
                    lane->verify->blocks[object].filled);
}

static void verify_align(struct verifier *lane, const char *block, size_t size, size_t align)
{
    if ((uintptr_t)block % align != 0)
        verify_fault(lane, "the block of %zu bytes at %p is not aligned to %zu", size,
                     (const void *)block, align);
}

static void verify_zero(struct verifier *lane, const char *block, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (block[i]) {
            verify_fault(lane, "byte %zu of a calloc of %zu bytes is not zero", i, size);
            return;
        }
}

/* A fresh or resized block becomes known. */
static void verify_take(struct verifier *lane, uint32_t object, void *ref, size_t size)
{
    char *block = heap_resolve(lane->heap, ref);
    struct verified *known = &lane->verify->blocks[object];
    *known = (struct verified){
        .seed = pattern_seed(lane->lane, lane->operation),
        .filled = verify_usable(lane, ref, size),
        .written = lane->operation,
        .lane = lane->lane,
    };
    pattern_fill(block, known->filled, known->seed);
    lane->checked++;
}

static void verify_allocate(struct verifier *lane, const struct operation *operation)
{
    void *ref = player_allocate(lane->heap, operation);
    lane->player->refs[operation->object] = ref;
    if (!ref) {
        lane->player->failed_allocations++;
        return;
    }
    char *block = heap_resolve(lane->heap, ref);
    size_t align = lane->heap->ops->align;
    if (operation->kind == OP_ALIGNED && operation->extra > align)
        align = operation->extra;
    verify_align(lane, block, operation->size, align);
    if (operation->kind == OP_CALLOC)
        verify_zero(lane, block, operation->size);
    verify_take(lane, operation->object, ref, operation->size);
}

static void verify_free(struct verifier *lane, uint32_t object)
{
    void *ref = lane->player->refs[object];
    verify_whole(lane, object, ref);
    lane->verify->blocks[object].seed = 0;
    lane->player->refs[object] = NULL;
    heap_free(lane->heap, ref);
}

static void verify_resize(struct verifier *lane, const struct operation *operation)
{
    struct player *player = lane->player;
    uint32_t object = operation->object;
    void *old = player->refs[object];
    if (!old) {
        player->skipped_reallocs++;
        return;
    }
    verify_whole(lane, object, old);
    void *ref = heap_realloc(lane->heap, old, operation->extra, operation->size);
    if (!ref) {
        player->failed_allocations++;
        player->failed_reallocs++;
        verify_free(lane, object);
        return;
    }
    player->refs[object] = ref;
    char *block = heap_resolve(lane->heap, ref);
    size_t kept = operation->extra < operation->size ? operation->extra : operation->size;
    verify_align(lane, block, operation->size, lane->heap->ops->align);
    verify_contents(lane, object, block, kept);
    verify_take(lane, object, ref, operation->size);
}

static void verify_step(struct verifier *lane, const struct operation *operation)
{
    struct player *player = lane->player;
    if (operation->kind == OP_REALLOC)
        verify_resize(lane, operation);
    else if (operation->kind != OP_FREE)
        verify_allocate(lane, operation);
    else if (player->refs[operation->object])
        verify_free(lane, operation->object);
    else
        player->skipped_frees++;
    lane->operation++;
}

/* ---- the replay ------------------------------------------------------------------------------ */

/* A turn in the recorded order. */
static void verify_turn(void *arg, const uint64_t *op, size_t first, size_t count)
{
    (void)first;
    struct verify *verify = arg;
    struct verifier *lane = verify->lanes;
    lane->heap = verify->worker->crew.heap;
    for (size_t i = 0; i < count; i++) {
        struct operation operation;
        lane->player->at = op;
        op = op_read(op, &operation);
        verify_step(lane, &operation);
    }
}

/* All that is a lane's of a window. */
static void verify_lane(void *arg, struct lane *of)
{
    struct verify *verify = arg;
    struct verifier *lane = &verify->lanes[of - verify->worker->lanes];
    lane->heap = of->player.heap;
    if (verify->together)
        jolt_begin(&lane->jolt);
    for (const uint64_t *op = of->begin; op < of->end;) {
        struct operation operation;
        of->player.at = op;
        jolt_again(&lane->jolt);
        if (op_is_handover(*op)) {
            player_hand_over(&of->player, *op++);
            continue;
        }
        op = op_read(op, &operation);
        verify_step(lane, &operation);
    }
    of->player.at = of->end;
    if (verify->together)
        jolt_end(&lane->jolt);
}

static uint64_t verify_checked(const struct verify *verify)
{
    uint64_t checked = 0;
    for (unsigned i = 0; i < verify->worker->crew.count; i++)
        checked += verify->lanes[i].checked;
    return checked;
}

static int verify_play(struct verify *verify, struct meter *meter, struct err *err)
{
    struct worker *worker = verify->worker;
    int status;
    while ((status = worker_next_window(worker, err)) > 0) {
        meter_start(meter);
        if (lanes_take_turns(worker))
            crew_take_turns(&worker->crew, &worker->window, verify_turn, verify);
        else
            crew_play_as(&worker->crew, verify_lane, verify);
        meter_stop(meter);
        worker->result->verified_blocks = verify_checked(verify);
        worker_window_done(worker);
    }
    return status;
}

/* What is still live at the end, and what the heap says of itself. */
static void verify_end(struct verify *verify)
{
    struct worker *worker = verify->worker;
    struct verifier *lane = verify->lanes;
    size_t blocks = crew_refs(&worker->crew, worker->window.objects);
    lane->heap = worker->crew.heap;
    for (size_t object = 0; object < blocks; object++)
        if (verify->blocks[object].seed)
            verify_whole(lane, (uint32_t)object, worker->player->refs[object]);
    char why[256];
    if (heap_check(lane->heap, why, sizeof why) == -EUCLEAN)
        verify_fault(lane, "the heap's own check says: %s", why);
}

/* ---- the pass -------------------------------------------------------------------------------- */

int verify_prepare(struct worker *worker, struct err *err)
{
    size_t objects = crew_refs(&worker->crew, worker->window.objects + (size_t)1);
    unsigned lanes = worker->crew.count;
    struct verify *verify = pages_map(sizeof *verify);
    struct verified *blocks = pages_map(objects * sizeof *blocks);
    struct verifier *verifiers = pages_map(lanes * sizeof *verifiers);
    if (!verify || !blocks || !verifiers)
        return err_set(err, errno, "no memory to verify %zu objects", objects);
    *verify = (struct verify){.worker = worker, .blocks = blocks, .lanes = verifiers};
    for (unsigned i = 0; i < lanes; i++) {
        verifiers[i] =
            (struct verifier){.verify = verify, .player = &worker->lanes[i].player, .lane = i};
        verifiers[i].jolt.every_ns = VERIFY_JOLT_NS;
        rng_init(&verifiers[i].jolt.rng, i);
    }
    jolt_prepare();
    worker->verify = verify;
    return 0;
}

/* How several lanes were verified; said behind the first fault where there is one. */
static void verify_tell(const struct verify *verify)
{
    struct worker *worker = verify->worker;
    unsigned lanes = worker->crew.count;
    const char *what = worker->crew.processes ? "processes" : "threads";
    if (verify->together)
        worker_note(worker, "verified with %u %s calling at once", lanes, what);
    else if (lanes > 1)
        worker_note(worker, "verified with %u %s taking turns as recorded", lanes, what);
}

int verify_pass(struct worker *worker, struct err *err)
{
    struct verify *verify = worker->verify;
    struct meter meter = {.crew = &worker->crew};
    verify->usable_known = worker->usable_known;
    verify->together = worker->crew.count > 1 && !lanes_take_turns(worker);
    worker->result->faults_found = 0;
    int status = verify_play(verify, &meter, err);
    if (status < 0)
        return status;
    verify_end(verify);
    verify_tell(verify);
    meter_report(&meter, worker->result);
    if (verify->together)
        lanes_report(worker);
    if (verify->wrong > 0)
        snprintf(worker->result->status, sizeof worker->result->status,
                 "failed: %" PRIu64 " of %" PRIu64 " blocks were wrong", verify->wrong,
                 verify_checked(verify));
    return 0;
}
