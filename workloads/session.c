/* Records in order become events of a trace. */
#include "workloads/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "workloads/encoder.h"

enum {
    SESSION_DEPTH_MOST = 64, /* frames of a call stack */
};

enum session_verdict {
    SESSION_TAKEN,
    SESSION_LATER, /* another thread's record must come first although its stamp is a little higher
                    */
};

struct session_moving {
    uint64_t address; /* 0: no realloc under way */
    uint64_t number;
};

int session_init(struct session *session, const char *path, const struct trace_origin *origin,
                 struct err *err)
{
    *session = (struct session){.err = err};
    if (origin->columns & TRACE_HAS_SITES && !(session->symbols = symbols_create()))
        return err_set(err, ENOMEM, "no memory left for symbols");
    int failed = trace_writer_create(&session->writer, path, origin, err);
    if (!failed)
        session->encoder = trace_writer_encoder(session->writer);
    return failed;
}

static int session_no_memory(struct session *session)
{
    return err_set(session->err, ENOMEM, "no memory left for the table of live blocks");
}

static struct session_moving *session_moving_of(struct session *session, uint32_t thread)
{
    struct session_moving *moving;
    if (array_reserve(&session->moving, (thread + 1) * sizeof *moving))
        return NULL;
    moving = session->moving.at;
    return &moving[thread];
}

static int session_written(struct session *session)
{
    return encoder_is_full(session->encoder) ? trace_writer_block(session->writer, session->err)
                                             : 0;
}

static int session_emit(struct session *session, struct trace_event *event, uint32_t thread,
                        const struct intake_record *record)
{
    event->thread = thread;
    event->site = session_site(session, record->site);
    event->time_ns = session_time(session, record->stamp);
    return trace_writer_add(session->writer, event, session->err);
}

static int session_free_number(struct session *session, uint32_t number, uint32_t thread,
                               const struct intake_record *record)
{
    uint64_t time_ns = session_time(session, record->stamp);
    if (encoder_free(session->encoder, thread, number, session_site(session, record->site),
                     time_ns))
        return session_no_memory(session);
    return session_written(session);
}

static int session_free_nothing(struct session *session, uint32_t thread,
                                const struct intake_record *record)
{
    struct trace_event event = {.kind = TRACE_FREE, .object = TRACE_NO_OBJECT};
    return session_emit(session, &event, thread, record);
}

__attribute__((always_inline)) static inline int
session_free(struct session *session, uint32_t thread, const struct intake_record *record)
{
    if (!record->pointer)
        return session_free_nothing(session, thread, record);
    uint32_t number = addresses_leave(&session->live, record->pointer);
    if (number != ADDRESSES_NONE)
        return session_free_number(session, number, thread, record);
    session->orphan_frees++;
    return 0;
}

/* Makes way at an address that is live still though it is being handed out. */
static int session_make_way(struct session *session, uint32_t thread,
                            const struct intake_record *record, bool last_call)
{
    if (!last_call)
        return SESSION_LATER;
    session->double_allocations++;
    uint32_t number = addresses_leave(&session->live, record->pointer);
    return session_free_number(session, number, thread, record);
}

/* Puts a number, which making way may change, at the address that is being handed out. */
static inline int session_enter(struct session *session, uint32_t thread,
                                const struct intake_record *record, const uint64_t *number,
                                bool last_call)
{
    int failed = addresses_enter(&session->live, record->pointer, (uint32_t)*number);
    if (__builtin_expect(failed > 0, 0)) {
        int verdict = session_make_way(session, thread, record, last_call);
        if (verdict)
            return verdict;
        failed = addresses_enter(&session->live, record->pointer, (uint32_t)*number);
    }
    return failed ? session_no_memory(session) : SESSION_TAKEN;
}

/* A large block's size is the next event's; what was touched of it is told when it ends. */
static int session_note_large(struct session *session, uint64_t address, uint64_t size)
{
    if (size < SPOOL_LARGE)
        return 0;
    struct table_slot *slot = table_enter(&session->large, address);
    if (!slot)
        return session_no_memory(session);
    slot->value = encoder_events(session->encoder) << 1;
    return 0;
}

/* With an alignment, large, or in vain. */
static int session_allocate_other(struct session *session, uint32_t thread,
                                  const struct intake_record *record, bool last_call)
{
    struct trace_event event = {
        .kind = record->kind == SPOOL_CALLOC    ? TRACE_CALLOC
                : record->kind == SPOOL_ALIGNED ? TRACE_ALIGNED
                                                : TRACE_MALLOC,
        .object = TRACE_NO_OBJECT,
        .size = record->size,
        .align_log2 = record->trait,
        .flags = record->pointer ? 0 : TRACE_FAILED,
    };
    const uint64_t *next = &session->encoder->row.head;
    int verdict =
        record->pointer ? session_enter(session, thread, record, next, last_call) : SESSION_TAKEN;
    if (verdict)
        return verdict;
    if (record->pointer) {
        event.object = (uint32_t)*next;
        if (session_note_large(session, record->pointer, record->size))
            return -ENOMEM;
    }
    return session_emit(session, &event, thread, record);
}

/* The plain kind. */
__attribute__((always_inline)) static inline int
session_allocate(struct session *session, enum trace_kind kind, uint32_t thread,
                 const struct intake_record *record, bool last_call)
{
    struct encoder *encoder = session->encoder;
    if (!record->pointer || record->size >= SPOOL_LARGE)
        return session_allocate_other(session, thread, record, last_call);
    int verdict = session_enter(session, thread, record, &encoder->row.head, last_call);
    if (verdict)
        return verdict;
    uint64_t time_ns = session_time(session, record->stamp);
    if (encoder_allocate(encoder, kind, thread, record->size, session_site(session, record->site),
                         time_ns))
        return session_no_memory(session);
    return session_written(session);
}

/* From here on another thread may get the address. */
static int session_release_half(struct session *session, uint32_t thread,
                                const struct intake_record *record)
{
    struct session_moving *moving = session_moving_of(session, thread);
    if (!moving)
        return session_no_memory(session);
    *moving =
        (struct session_moving){record->pointer, addresses_leave(&session->live, record->pointer)};
    return 0;
}

/* A realloc of what the trace does not know allocates. */
static int session_resize_orphan(struct session *session, uint32_t thread,
                                 const struct intake_record *record, bool last_call)
{
    struct intake_record allocation = *record;
    allocation.kind = SPOOL_MALLOC;
    int verdict = session_allocate_other(session, thread, &allocation, last_call);
    session->orphan_frees += verdict == SESSION_TAKEN;
    return verdict;
}

static int session_resize(struct session *session, uint32_t thread,
                          const struct intake_record *record, bool last_call)
{
    struct session_moving *moving = session_moving_of(session, thread);
    if (!moving)
        return session_no_memory(session);
    if (!moving->address || moving->number == ADDRESSES_NONE)
        return session_resize_orphan(session, thread, record, last_call);
    if (!record->pointer && !record->size) {
        moving->address = 0;
        return session_free_number(session, (uint32_t)moving->number, thread, record);
    }
    struct trace_event event = {
        .kind = TRACE_REALLOC,
        .object = (uint32_t)moving->number,
        .size = record->size,
        .flags = record->pointer ? 0 : TRACE_FAILED,
    };
    int verdict = record->pointer
                      ? session_enter(session, thread, record, &moving->number, last_call)
                      : addresses_enter(&session->live, moving->address, (uint32_t)moving->number);
    if (verdict)
        return verdict;
    moving->address = 0;
    if (record->pointer && session_note_large(session, record->pointer, record->size))
        return -ENOMEM;
    return session_emit(session, &event, thread, record);
}

/* --- call stacks --- */

static int session_module(struct session *session, const uint64_t *words)
{
    return symbols_add(session->symbols, words[0], words[1], words[2], (const char *)&words[3],
                       true)
               ? session_no_memory(session)
               : 0;
}

static uint32_t session_describe(struct session *session, const uint64_t *addresses, size_t count)
{
    char text[SESSION_DEPTH_MOST * SYMBOLS_FRAME];
    symbols_describe_stack(session->symbols, addresses, count, text, sizeof text);
    return trace_writer_site(session->writer, text);
}

static int session_stack(struct session *session, const struct intake_record *record)
{
    const uint64_t *words = intake_told(record);
    uint32_t number = (uint32_t)words[0];
    uint64_t hash = words[1] | 1; /* 0 stands for an empty slot */
    if (array_reserve(&session->sites, (number + (size_t)1) * sizeof number))
        return session_no_memory(session);
    struct table_slot *slot = table_enter(&session->site_of_hash, hash);
    if (!slot)
        return session_no_memory(session);
    if (!slot->value)
        slot->value = session_describe(session, words + 2, record->size - 2);
    ((uint32_t *)session->sites.at)[number] = (uint32_t)slot->value;
    return 0;
}

static int session_touched(struct session *session, const struct intake_record *record)
{
    struct table_slot *slot = table_find(&session->large, intake_told(record)[0]);
    uint32_t pages = (uint32_t)intake_told(record)[1];
    if (!slot)
        return 0;
    session->encoder->summary.touch_looks += !(slot->value & 1);
    /* What was touched whole need not be told, unless something else was told before. */
    bool worth = pages || slot->value & 1;
    slot->value |= 1;
    return worth && trace_writer_touched(session->writer, slot->value >> 1, pages)
               ? session_no_memory(session)
               : 0;
}

static int session_told(struct session *session, const struct intake_record *record)
{
    if (record->trait == SPOOL_TOUCHED)
        return session_touched(session, record);
    if (!session->symbols)
        return 0;
    return record->trait == SPOOL_STACK ? session_stack(session, record)
                                        : session_module(session, intake_told(record));
}

static int session_take(struct session *session, uint32_t thread,
                        const struct intake_record *record, bool last_call)
{
    switch (record->kind) {
    case SPOOL_FREE:
        return session_free(session, thread, record);
    case SPOOL_MALLOC:
        return session_allocate(session, TRACE_MALLOC, thread, record, last_call);
    case SPOOL_CALLOC:
        return session_allocate(session, TRACE_CALLOC, thread, record, last_call);
    case SPOOL_RELEASE:
        return session_release_half(session, thread, record);
    case SPOOL_RESIZE:
        return session_resize(session, thread, record, last_call);
    case SPOOL_CONTROL:
        return session_told(session, record);
    case SPOOL_ALIGNED:
    case SPOOL_HOLE:
        break;
    }
    return session_allocate_other(session, thread, record, last_call);
}

/* A record whose stack is not known. */
static int session_take_siteless(struct session *session, uint32_t thread,
                                 const struct intake_record *record, bool last_call)
{
    if (!last_call)
        return SESSION_LATER;
    struct intake_record siteless = *record;
    siteless.site = 0;
    return session_take(session, thread, &siteless, last_call);
}

int session_visit(void *arg, uint32_t thread, const struct intake_record *record, bool last_call)
{
    struct session *session = arg;
    bool known = !record->site || session_knows_site(session, record->site);
    return known ? session_take(session, thread, record, last_call)
                 : session_take_siteless(session, thread, record, last_call);
}

int session_exec(struct session *session, const char *program, bool recorded)
{
    struct intake_record record = {0};
    trace_writer_summary(session->writer)->unrecorded_exec |= !recorded;
    uint64_t objects = trace_writer_summary(session->writer)->objects;
    for (uint32_t number = 0; number < objects; number++) {
        int failed = trace_writer_is_live(session->writer, number)
                         ? session_free_number(session, number, 0, &record)
                         : 0;
        if (failed)
            return failed;
    }
    addresses_release(&session->live);
    table_release(&session->large);
    /* Its numbers of stacks mean nothing to the new image. */
    table_release(&session->site_of_hash);
    array_release(&session->moving);
    array_release(&session->sites);
    if (session->symbols) {
        symbols_destroy(session->symbols);
        if (!(session->symbols = symbols_create()))
            return session_no_memory(session);
    }
    char text[64];
    snprintf(text, sizeof text, "exec %.32s%s", program, recorded ? "" : ", not recorded");
    struct trace_event event = {.kind = TRACE_MARK,
                                .object = trace_writer_label(session->writer, text)};
    return session_emit(session, &event, 0, &record);
}

int session_finish(struct session *session, uint64_t lost)
{
    struct trace_summary *summary = trace_writer_summary(session->writer);
    summary->lost_events = lost;
    summary->orphan_frees = session->orphan_frees;
    summary->double_allocations = session->double_allocations;
    summary->repairs = session->orphan_frees + session->double_allocations;
    int failed = trace_writer_finish(session->writer, session->err);
    session->writer = NULL;
    return failed;
}

void session_release(struct session *session)
{
    if (session->writer)
        trace_writer_abandon(session->writer);
    addresses_release(&session->live);
    table_release(&session->large);
    table_release(&session->site_of_hash);
    array_release(&session->moving);
    array_release(&session->sites);
    symbols_destroy(session->symbols);
    session->symbols = NULL;
    session->writer = NULL;
}
