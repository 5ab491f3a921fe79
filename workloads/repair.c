/* Repairs on the way to the writer. Operations pass through a window, so that the rules can look
 * ahead of the one they decide on. */
#include "workloads/repair.h"

#include <errno.h>
#include <stdlib.h>

#include "harness/base/pages.h"
#include "workloads/addresses.h"
#include "workloads/encoder.h"
#include "workloads/format.h"
#include "workloads/numbering.h"

struct repair {
    struct trace_writer *writer; /* borrowed */
    struct encoder *encoder;     /* the writer's */
    struct trace_summary *summary;
    bool threads_known;
    uint64_t time_ns;
    struct addresses live;
    struct addresses held; /* address to place among `holding`: allocations waiting for a release */
    struct array holding;  /* struct repair_operation */
    struct numbering holding_places;
    struct table threads;              /* the source's number to one of 32 bits, from 1 */
    uint64_t last_thread, last_number; /* of the operation before; 0: there was none */
    uint64_t first, next;              /* operations in the window: first … next-1 */
    struct repair_operation *window;
    uint32_t releases[REPAIR_WINDOW]; /* by the window's places: marks of the addresses they free */
};

int repair_create(struct repair **out, struct trace_writer *writer, bool threads_known,
                  struct err *err)
{
    struct repair *repair = calloc(1, sizeof *repair);
    if (repair)
        repair->window = calloc(REPAIR_WINDOW, sizeof *repair->window);
    if (!repair || !repair->window) {
        free(repair);
        return err_set(err, ENOMEM, "no memory left to bring operations in");
    }
    repair->writer = writer;
    repair->encoder = trace_writer_encoder(writer);
    repair->summary = trace_writer_summary(writer);
    repair->threads_known = threads_known;
    numbering_init(&repair->holding_places);
    *out = repair;
    return 0;
}

void repair_abandon(struct repair *repair)
{
    addresses_release(&repair->live);
    addresses_release(&repair->held);
    array_release(&repair->holding);
    numbering_release(&repair->holding_places);
    table_release(&repair->threads);
    free(repair->window);
    free(repair);
}

static int repair_no_memory(struct err *err)
{
    return err_set(err, ENOMEM, "no memory left to keep account of live addresses");
}

static const struct repair_operation *repair_at(const struct repair *repair, uint64_t place)
{
    return &repair->window[place % REPAIR_WINDOW];
}

static void repair_count(struct repair *repair, uint64_t *kind)
{
    ++*kind;
    repair->summary->repairs++;
}

static uint64_t repair_time(struct repair *repair, const struct repair_operation *from)
{
    if (from->time_ns > repair->time_ns)
        repair->time_ns = from->time_ns;
    return repair->time_ns;
}

static struct trace_event repair_event(struct repair *repair, const struct repair_operation *from,
                                       uint32_t object)
{
    return (struct trace_event){.kind = from->kind,
                                .align_log2 = from->kind == TRACE_ALIGNED ? from->align_log2 : 0,
                                .thread = (uint32_t)from->thread,
                                .site = from->site,
                                .object = object,
                                .size = from->size,
                                .time_ns = repair_time(repair, from)};
}

static int repair_written(struct repair *repair, int failed, struct err *err)
{
    if (failed)
        return repair_no_memory(err);
    return encoder_is_full(repair->encoder) ? trace_writer_block(repair->writer, err) : 0;
}

__attribute__((always_inline)) static inline int
repair_write_free(struct repair *repair, const struct repair_operation *from, uint32_t object,
                  struct err *err)
{
    int failed = encoder_free(repair->encoder, (uint32_t)from->thread, object, from->site,
                              repair_time(repair, from));
    return repair_written(repair, failed, err);
}

static int repair_write_free_of_nothing(struct repair *repair, const struct repair_operation *from,
                                        struct err *err)
{
    struct trace_event event = repair_event(repair, from, TRACE_NO_OBJECT);
    event.kind = TRACE_FREE;
    event.size = 0;
    return trace_writer_add(repair->writer, &event, err);
}

/* Of an address that was entered with the number of the next allocation. */
static int repair_write_new(struct repair *repair, const struct repair_operation *from,
                            struct err *err)
{
    if (from->kind == TRACE_ALIGNED) {
        struct trace_event event = repair_event(repair, from, (uint32_t)repair->encoder->row.head);
        return trace_writer_add(repair->writer, &event, err);
    }
    enum trace_kind kind = from->kind == TRACE_CALLOC ? TRACE_CALLOC : TRACE_MALLOC;
    int failed = encoder_allocate(repair->encoder, kind, (uint32_t)from->thread, from->size,
                                  from->site, repair_time(repair, from));
    return repair_written(repair, failed, err);
}

static bool repair_resizes(const struct repair_operation *operation)
{
    return operation->kind == TRACE_REALLOC && operation->before;
}

static int repair_write_resized(struct repair *repair, const struct repair_operation *from,
                                struct err *err)
{
    uint32_t object = addresses_leave(&repair->live, from->before);
    struct trace_event event = repair_event(repair, from, object);
    if (addresses_enter(&repair->live, from->address, object))
        return repair_no_memory(err);
    return trace_writer_add(repair->writer, &event, err);
}

static int repair_write_failed(struct repair *repair, const struct repair_operation *from,
                               struct err *err)
{
    uint32_t object =
        from->kind == TRACE_REALLOC ? addresses_find(&repair->live, from->before) : TRACE_NO_OBJECT;
    struct trace_event event = repair_event(repair, from, object);
    event.flags = TRACE_FAILED;
    if (object == TRACE_NO_OBJECT && event.kind == TRACE_REALLOC)
        event.kind = TRACE_MALLOC;
    return trace_writer_add(repair->writer, &event, err);
}

/* Gives an address that is free by now its object. */
static int repair_write_placed(struct repair *repair, const struct repair_operation *from,
                               struct err *err)
{
    if (repair_resizes(from)) {
        if (addresses_find(&repair->live, from->before) != ADDRESSES_NONE)
            return repair_write_resized(repair, from, err);
        repair_count(repair, &repair->summary->orphan_frees);
    }
    if (addresses_enter(&repair->live, from->address, (uint32_t)repair->encoder->row.head))
        return repair_no_memory(err);
    return repair_write_new(repair, from, err);
}

/* Whether the operation ends what lives at `address`. */
static bool repair_releases(const struct repair_operation *operation, uint64_t address)
{
    if (operation->before != address)
        return false;
    bool failed = !operation->address && operation->size; /* a realloc that leaves its block */
    return operation->kind == TRACE_FREE ||
           (operation->kind == TRACE_REALLOC && operation->address != address && !failed);
}

static bool repair_takes(const struct repair_operation *operation, uint64_t address)
{
    return operation->kind != TRACE_FREE && operation->address == address &&
           operation->before != address;
}

/* What an address is told by among those of the window. */
static uint32_t repair_mark(uint64_t address)
{
    return (uint32_t)(address ^ address >> 32);
}

/* Whether anything of the window may free the address: most addresses that are given out twice are
 * not freed so soon, and to find that out is done for many places at a time. */
static bool repair_may_be_released(const struct repair *repair, uint64_t address)
{
    uint32_t mark = repair_mark(address), found = 0;
    for (unsigned i = 0; i < REPAIR_WINDOW; i++)
        found |= repair->releases[i] == mark;
    return found;
}

/* Whether the release of the older object at this operation's address is only late. The first thing
 * that happens to the address must be a release, from elsewhere; if it is allocated again after
 * that, the older object's release must show as one release too many, or else a single missed free
 * would turn every later use of the address into an inversion. */
static bool repair_is_inversion(const struct repair *repair, const struct repair_operation *taken)
{
    if (!repair_may_be_released(repair, taken->address))
        return false;
    unsigned live = 2, uses = 0;
    for (uint64_t i = repair->first; i < repair->next; i++) {
        const struct repair_operation *later = repair_at(repair, i);
        bool releases = repair_releases(later, taken->address);
        if (!releases && !repair_takes(later, taken->address))
            continue;
        if (uses++ == 0 && (!releases || (repair->threads_known && later->thread == taken->thread)))
            return false;
        live += releases ? -1u : 1u;
        if (!live)
            return true;
    }
    return uses == 1;
}

static int repair_unhold_one(struct repair *repair, uint64_t address, struct err *err);

/* After a release of `address`: the allocation that was held for it, of which there is hardly ever
 * any. */
static inline int repair_unhold(struct repair *repair, uint64_t address, struct err *err)
{
    return repair->held.leaves.count ? repair_unhold_one(repair, address, err) : 0;
}

/* A realloc is held as the free and the malloc that it is: nothing else may depend on it meanwhile.
 */
static int repair_hold(struct repair *repair, const struct repair_operation *taken, struct err *err)
{
    struct repair_operation held = *taken;
    held.before = 0;
    held.kind = taken->kind == TRACE_REALLOC ? TRACE_MALLOC : taken->kind;
    if (numbering_reserve(&repair->holding_places, 1))
        return repair_no_memory(err);
    uint32_t place = numbering_take(&repair->holding_places);
    size_t bytes = ((size_t)place + 1) * sizeof held;
    if (array_reserve(&repair->holding, bytes) ||
        addresses_enter(&repair->held, held.address, place))
        return repair_no_memory(err);
    ((struct repair_operation *)repair->holding.at)[place] = held;
    repair_count(repair, &repair->summary->inversions);
    if (!taken->before || addresses_find(&repair->live, taken->before) == ADDRESSES_NONE)
        return 0;
    uint32_t object = addresses_leave(&repair->live, taken->before);
    int failed = repair_write_free(repair, taken, object, err);
    return failed ? failed : repair_unhold(repair, taken->before, err);
}

static int repair_unhold_one(struct repair *repair, uint64_t address, struct err *err)
{
    uint32_t place = addresses_leave(&repair->held, address);
    if (place == ADDRESSES_NONE)
        return 0;
    struct repair_operation held = ((struct repair_operation *)repair->holding.at)[place];
    numbering_give(&repair->holding_places, place);
    return repair_write_placed(repair, &held, err);
}

/* Takes an address that is live. */
static int repair_take_live(struct repair *repair, const struct repair_operation *taken,
                            struct err *err)
{
    if (addresses_find(&repair->held, taken->address) == ADDRESSES_NONE &&
        repair_is_inversion(repair, taken))
        return repair_hold(repair, taken, err);
    repair_count(repair, &repair->summary->double_allocations);
    uint32_t object = addresses_leave(&repair->live, taken->address);
    int failed = repair_write_free(repair, taken, object, err);
    return failed ? failed : repair_write_placed(repair, taken, err);
}

__attribute__((always_inline)) static inline int
repair_take_new(struct repair *repair, const struct repair_operation *taken, struct err *err)
{
    int entered =
        addresses_enter(&repair->live, taken->address, (uint32_t)repair->encoder->row.head);
    if (entered < 0)
        return repair_no_memory(err);
    return entered ? repair_take_live(repair, taken, err) : repair_write_new(repair, taken, err);
}

static int repair_take_resized(struct repair *repair, const struct repair_operation *taken,
                               struct err *err)
{
    if (taken->before == taken->address)
        return repair_write_placed(repair, taken, err);
    bool is_live = addresses_find(&repair->live, taken->address) != ADDRESSES_NONE;
    int failed =
        is_live ? repair_take_live(repair, taken, err) : repair_write_placed(repair, taken, err);
    return failed ? failed : repair_unhold(repair, taken->before, err);
}

__attribute__((always_inline)) static inline int
repair_release(struct repair *repair, const struct repair_operation *operation, struct err *err)
{
    uint64_t address = operation->before;
    if (!address)
        return repair_write_free_of_nothing(repair, operation, err);
    uint32_t object = addresses_leave(&repair->live, address);
    if (object == ADDRESSES_NONE) {
        repair_count(repair, &repair->summary->orphan_frees);
        return 0;
    }
    int failed = repair_write_free(repair, operation, object, err);
    return failed ? failed : repair_unhold(repair, address, err);
}

static int repair_decide(struct repair *repair, const struct repair_operation *operation,
                         struct err *err)
{
    if (operation->kind == TRACE_FREE)
        return repair_release(repair, operation, err);
    if (operation->address && repair_resizes(operation))
        return repair_take_resized(repair, operation, err);
    if (operation->address)
        return repair_take_new(repair, operation, err);
    if (operation->kind == TRACE_REALLOC && operation->before && !operation->size)
        return repair_release(repair, operation, err);
    return repair_write_failed(repair, operation, err);
}

/* Decides on the oldest of the window, whose place is not taken anew before that is done. */
static int repair_shift(struct repair *repair, struct err *err)
{
    const struct repair_operation *oldest = repair_at(repair, repair->first++);
    return repair_decide(repair, oldest, err);
}

/* The writer's threads have numbers of 32 bits. */
static int repair_thread(struct repair *repair, uint64_t *thread, struct err *err)
{
    uint64_t key = *thread + (*thread != UINT64_MAX);
    if (key != repair->last_thread) {
        struct table_slot *slot = table_enter(&repair->threads, key);
        if (!slot)
            return repair_no_memory(err);
        if (repair->threads.count > FORMAT_THREADS_MOST)
            return err_set(err, EINVAL,
                           "there are operations of more than %d threads: the recording is damaged",
                           FORMAT_THREADS_MOST);
        if (!slot->value)
            slot->value = repair->threads.count;
        repair->last_thread = key;
        repair->last_number = slot->value;
    }
    *thread = repair->last_number;
    return 0;
}

struct repair_operation *repair_room(struct repair *repair, struct err *err)
{
    if (repair->next - repair->first == REPAIR_WINDOW && repair_shift(repair, err))
        return NULL;
    struct repair_operation *room = &repair->window[repair->next % REPAIR_WINDOW];
    *room = (struct repair_operation){0};
    return room;
}

int repair_add(struct repair *repair, const struct repair_operation *operation, struct err *err)
{
    uint64_t place = repair->next % REPAIR_WINDOW;
    struct repair_operation *room = &repair->window[place];
    if (operation != room) {
        if (!repair_room(repair, err))
            return -err->code;
        *room = *operation;
    }
    if (repair_thread(repair, &room->thread, err))
        return -err->code;
    repair->releases[place] = repair_mark(room->before);
    repair->next++;
    repair->summary->source_events++;
    return 0;
}

int repair_finish(struct repair *repair, struct err *err)
{
    int failed = 0;
    while (!failed && repair->first < repair->next)
        failed = repair_shift(repair, err);
    repair_abandon(repair);
    return failed;
}
