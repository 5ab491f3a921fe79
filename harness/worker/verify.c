/* The verify pass: is what the allocator hands out really the caller's own?
 *
 * Every block is filled, to the last usable byte, with a pattern that no other block has, and
 * looked at again before it is freed or resized and at the end: a byte that changed was handed out
 * twice or written by the allocator. Alignment, zeroing by calloc and the contents kept by realloc
 * are checked on the way. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/pages.h"
#include "harness/worker/worker.h"

struct verified {
    uint64_t seed;  /* of its pattern */
    size_t filled;  /* bytes */
    size_t written; /* operation that wrote it */
};

/* In shared memory: turns may be taken by processes. */
struct verify {
    struct worker *worker;
    bool usable_known;
    struct verified *blocks; /* one an object number */
    uint64_t operation;      /* number of the one under way */
    uint64_t checked, wrong;
};

/* As this process sees it. */
static struct heap *verify_heap(const struct verify *verify)
{
    return verify->worker->crew.heap;
}

static uint64_t verify_seed(uint64_t operation)
{
    return (operation + 1) * 0x9e3779b97f4a7c15u;
}

/* The eight bytes at place `word` of a pattern. */
static uint64_t verify_word(uint64_t seed, size_t word)
{
    return (seed ^ word) * 0xbf58476d1ce4e5b9u;
}

static void verify_fill(char *block, size_t size, uint64_t seed)
{
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word = verify_word(seed, at / 8);
        memcpy(block + at, &word, 8);
    }
    uint64_t last = verify_word(seed, at / 8);
    memcpy(block + at, &last, size - at);
}

/* The place of the first byte that is not the pattern's, or `size`. */
static size_t verify_differs(const char *block, size_t size, uint64_t seed)
{
    for (size_t at = 0; at < size; at += 8) {
        uint64_t word = verify_word(seed, at / 8);
        size_t length = size - at < 8 ? size - at : 8;
        if (memcmp(block + at, &word, length) != 0) {
            size_t byte = 0;
            while (block[at + byte] == ((const char *)&word)[byte])
                byte++;
            return at + byte;
        }
    }
    return size;
}

/* The first fault is told in words, all are counted. */
static void verify_fault(struct verify *verify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void verify_fault(struct verify *verify, const char *format, ...)
{
    struct cell_result *result = verify->worker->result;
    result->faults_found = ++verify->wrong;
    if (verify->wrong > 1)
        return;
    int length = snprintf(result->detail, sizeof result->detail, "operation %" PRIu64 ": ",
                          verify->operation);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->detail + length, sizeof result->detail - (size_t)length, format, arguments);
    va_end(arguments);
}

static size_t verify_usable(struct verify *verify, void *ref, size_t size)
{
    if (!verify->usable_known)
        return size;
    size_t usable = heap_usable_size(verify_heap(verify), ref, size);
    if (usable < size)
        verify_fault(verify, "a block of %zu bytes says that %zu are usable", size, usable);
    return usable < size ? size : usable;
}

static void verify_contents(struct verify *verify, uint32_t object, const char *block, size_t size)
{
    const struct verified *known = &verify->blocks[object];
    size_t at = verify_differs(block, size, known->seed);
    if (at < size)
        verify_fault(verify,
                     "byte %zu of the block of %zu bytes at %p, written by operation %zu, has "
                     "changed: it was handed out twice, or the allocator wrote into it",
                     at, known->filled, (const void *)block, known->written);
}

static void verify_align(struct verify *verify, const char *block, size_t size, size_t align)
{
    if ((uintptr_t)block % align != 0)
        verify_fault(verify, "the block of %zu bytes at %p is not aligned to %zu", size,
                     (const void *)block, align);
}

static void verify_zero(struct verify *verify, const char *block, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (block[i]) {
            verify_fault(verify, "byte %zu of a calloc of %zu bytes is not zero", i, size);
            return;
        }
}

/* A fresh or resized block becomes known. */
static void verify_take(struct verify *verify, uint32_t object, void *ref, size_t size)
{
    char *block = heap_resolve(verify_heap(verify), ref);
    struct verified *known = &verify->blocks[object];
    *known = (struct verified){
        .seed = verify_seed(verify->operation),
        .filled = verify_usable(verify, ref, size),
        .written = verify->operation,
    };
    verify_fill(block, known->filled, known->seed);
    verify->checked++;
}

static void verify_allocate(struct verify *verify, const struct operation *operation)
{
    struct worker *worker = verify->worker;
    void *ref = player_allocate(verify_heap(verify), operation);
    worker->player->refs[operation->object] = ref;
    if (!ref) {
        worker->player->failed_allocations++;
        return;
    }
    char *block = heap_resolve(verify_heap(verify), ref);
    size_t align = verify_heap(verify)->ops->align;
    if (operation->kind == OP_ALIGNED && operation->extra > align)
        align = operation->extra;
    verify_align(verify, block, operation->size, align);
    if (operation->kind == OP_CALLOC)
        verify_zero(verify, block, operation->size);
    verify_take(verify, operation->object, ref, operation->size);
}

static void verify_free(struct verify *verify, uint32_t object)
{
    struct worker *worker = verify->worker;
    void *ref = worker->player->refs[object];
    verify_contents(verify, object, heap_resolve(verify_heap(verify), ref),
                    verify->blocks[object].filled);
    heap_free(verify_heap(verify), ref);
    worker->player->refs[object] = NULL;
}

static void verify_resize(struct verify *verify, const struct operation *operation)
{
    struct worker *worker = verify->worker;
    struct player *player = worker->player;
    uint32_t object = operation->object;
    void *old = player->refs[object];
    if (!old) {
        player->skipped_reallocs++;
        return;
    }
    verify_contents(verify, object, heap_resolve(verify_heap(verify), old),
                    verify->blocks[object].filled);
    void *ref = heap_realloc(verify_heap(verify), old, operation->extra, operation->size);
    if (!ref) {
        player->failed_allocations++;
        player->failed_reallocs++;
        verify_free(verify, object);
        return;
    }
    player->refs[object] = ref;
    char *block = heap_resolve(verify_heap(verify), ref);
    size_t kept = operation->extra < operation->size ? operation->extra : operation->size;
    verify_align(verify, block, operation->size, verify_heap(verify)->ops->align);
    verify_contents(verify, object, block, kept);
    verify_take(verify, object, ref, operation->size);
}

static void verify_step(struct verify *verify, const struct operation *operation)
{
    struct player *player = verify->worker->player;
    if (operation->kind == OP_REALLOC)
        verify_resize(verify, operation);
    else if (operation->kind != OP_FREE)
        verify_allocate(verify, operation);
    else if (player->refs[operation->object])
        verify_free(verify, operation->object);
    else
        player->skipped_frees++;
    verify->operation++;
    verify->worker->result->verified_blocks = verify->checked;
}

/* What is still live at the end, and what the heap says of itself. */
static void verify_end(struct verify *verify)
{
    struct worker *worker = verify->worker;
    for (uint32_t object = 0; object < worker->window.objects; object++) {
        void *ref = worker->player->refs[object];
        if (ref && worker->window.sizes[object] != WINDOW_DEAD)
            verify_contents(verify, object, heap_resolve(verify_heap(verify), ref),
                            verify->blocks[object].filled);
    }
    char why[256];
    if (heap_check(verify_heap(verify), why, sizeof why) == -EUCLEAN)
        verify_fault(verify, "the heap's own check says: %s", why);
}

static void verify_turn(void *arg, const uint64_t *op, size_t first, size_t count)
{
    (void)first;
    struct verify *verify = arg;
    for (size_t i = 0; i < count; i++) {
        struct operation operation;
        verify->worker->player->at = op;
        op = op_read(op, &operation);
        verify_step(verify, &operation);
    }
}

static int verify_play(struct verify *verify, struct meter *meter, struct err *err)
{
    struct worker *worker = verify->worker;
    int status;
    while ((status = worker_next_window(worker, err)) > 0) {
        meter_start(meter);
        crew_take_turns(&worker->crew, &worker->window, verify_turn, verify);
        meter_stop(meter);
        worker_window_done(worker);
    }
    return status;
}

int verify_prepare(struct worker *worker, struct err *err)
{
    size_t objects = worker->window.objects + (size_t)1;
    struct verify *verify = pages_map(sizeof *verify);
    struct verified *blocks = pages_map(objects * sizeof *blocks);
    if (!verify || !blocks)
        return err_set(err, errno, "no memory to verify %u objects", worker->window.objects);
    *verify = (struct verify){.worker = worker, .blocks = blocks};
    worker->verify = verify;
    return 0;
}

int verify_pass(struct worker *worker, struct err *err)
{
    struct verify *verify = worker->verify;
    struct meter meter = {0};
    verify->usable_known = worker->usable_known;
    worker->result->faults_found = 0;
    int status = verify_play(verify, &meter, err);
    if (status < 0)
        return status;
    verify_end(verify);
    meter_report(&meter, worker->result);
    if (verify->wrong > 0)
        snprintf(worker->result->status, sizeof worker->result->status,
                 "failed: %" PRIu64 " of %" PRIu64 " blocks were wrong", verify->wrong,
                 verify->checked);
    return 0;
}
