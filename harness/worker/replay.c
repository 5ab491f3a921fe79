/* One operation after the other with the ledger kept beside. */
#include "harness/worker/replay.h"

int replay_init(struct replay *replay, struct worker *worker, struct err *err)
{
    replay->worker = worker;
    replay->usable_known = worker->usable_known && worker->heap->ops->usable_size;
    return ledger_init(&replay->ledger, worker->window.objects + (size_t)1, REPLAY_ROUNDED_TO, err);
}

/* Asked before the block goes: a ref that is not live resolves to nothing. */
static uint64_t replay_address(const struct replay *replay, void *ref)
{
    return replay->come ? (uintptr_t)heap_resolve(replay->worker->heap, ref) : 0;
}

static void replay_come(const struct replay *replay, uint32_t object, void *ref,
                        const struct place *by)
{
    if (replay->come)
        replay->come(replay->arg, object, replay_address(replay, ref), by->size, by);
}

static void replay_gone(const struct replay *replay, uint32_t object, uint64_t address,
                        const struct place *by)
{
    if (replay->gone)
        replay->gone(replay->arg, object, address, replay->ledger.entries[object].size, by);
}

static void replay_free(struct replay *replay, uint32_t object, const struct place *by)
{
    void *ref = replay->worker->player->refs[object];
    replay_gone(replay, object, replay_address(replay, ref), by);
    ledger_remove(&replay->ledger, object);
    heap_free(replay->worker->heap, ref);
}

static uint64_t replay_usable(const struct replay *replay, void *ref, uint64_t size)
{
    return replay->usable_known ? heap_usable_size(replay->worker->heap, ref, size) : size;
}

static void replay_resize(struct replay *replay, const struct operation *operation,
                          const struct place *place)
{
    struct worker *worker = replay->worker;
    struct player *player = worker->player;
    uint32_t object = operation->object;
    void *old = player->refs[object];
    if (!old) {
        player->skipped_reallocs++;
        return;
    }
    uint64_t old_address = replay_address(replay, old);
    void *ref = heap_realloc(worker->heap, old, operation->extra, operation->size);
    if (!ref) {
        player->failed_allocations++;
        player->failed_reallocs++;
        replay_free(replay, object, place);
    } else {
        replay->resized_in_place += ref == old;
        replay_gone(replay, object, old_address, place);
        ledger_resize(&replay->ledger, object, place->size,
                      replay_usable(replay, ref, operation->size));
        replay_come(replay, object, ref, place);
        player_touch_block(worker->heap, ref, operation, worker->touch);
    }
    player->refs[object] = ref;
}

static void replay_allocate(struct replay *replay, const struct operation *operation,
                            const struct place *place)
{
    struct worker *worker = replay->worker;
    uint32_t object = operation->object;
    void *ref = player_allocate(worker->heap, operation);
    worker->player->refs[object] = ref;
    if (!ref) {
        worker->player->failed_allocations++;
        return;
    }
    ledger_add(&replay->ledger, object, place->size, replay_usable(replay, ref, operation->size));
    replay_come(replay, object, ref, place);
    player_touch_block(worker->heap, ref, operation, worker->touch);
}

void replay_step(struct replay *replay, const struct operation *operation,
                 const struct place *place)
{
    struct player *player = replay->worker->player;
    if (operation->kind == OP_REALLOC)
        replay_resize(replay, operation, place);
    else if (operation->kind != OP_FREE)
        replay_allocate(replay, operation, place);
    else if (player->refs[operation->object])
        replay_free(replay, operation->object, place);
    else
        player->skipped_frees++;
}
