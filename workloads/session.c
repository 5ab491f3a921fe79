/* Records in order become events of a trace. */
#include "workloads/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "workloads/merge.h"

enum { SESSION_DEPTH_MOST = 64 }; /* frames of a call stack */

struct session_moving {
    uint64_t address; /* 0: no realloc under way */
    uint32_t number;
};

int session_init(struct session *session, const char *path, const struct trace_origin *origin,
                 struct err *err)
{
    *session = (struct session){.err = err};
    if (origin->columns & TRACE_HAS_SITES && !(session->symbols = symbols_create()))
        return err_set(err, ENOMEM, "no memory left for symbols");
    return trace_writer_create(&session->writer, path, origin, err);
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

static int session_emit(struct session *session, struct trace_event *event, uint32_t thread,
                        const struct intake_record *record)
{
    event->thread = thread;
    event->site = record->site ? ((uint32_t *)session->sites.at)[record->site] : 0;
    if (session->ns_per_tick > 0 && record->stamp > session->start_stamp)
        event->time_ns =
            (uint64_t)((double)(record->stamp - session->start_stamp) * session->ns_per_tick);
    else
        event->time_ns = session->last_ns;
    session->last_ns = event->time_ns;
    return trace_writer_add(session->writer, event, session->err);
}

static int session_free_number(struct session *session, uint32_t number, uint32_t thread,
                               const struct intake_record *record)
{
    struct trace_event event = {.kind = TRACE_FREE, .object = number};
    return session_emit(session, &event, thread, record);
}

static int session_free(struct session *session, uint32_t thread,
                        const struct intake_record *record)
{
    if (!record->pointer)
        return session_free_number(session, TRACE_NO_OBJECT, thread, record);
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
    if (addresses_find(&session->live, record->pointer) == ADDRESSES_NONE)
        return MERGE_TAKEN;
    if (!last_call)
        return MERGE_LATER;
    session->double_allocations++;
    uint32_t number = addresses_leave(&session->live, record->pointer);
    return session_free_number(session, number, thread, record);
}

static int session_allocate(struct session *session, uint32_t thread,
                            const struct intake_record *record, bool last_call)
{
    struct trace_event event = {
        .kind = record->kind == SPOOL_CALLOC    ? TRACE_CALLOC
                : record->kind == SPOOL_ALIGNED ? TRACE_ALIGNED
                                                : TRACE_MALLOC,
        .object = TRACE_NO_OBJECT,
        .size = record->size,
        .align_log2 = record->align ? (uint8_t)__builtin_ctzll(record->align) : 0,
        .flags = record->pointer ? 0 : TRACE_FAILED,
    };
    if (record->pointer) {
        int verdict = session_make_way(session, thread, record, last_call);
        if (verdict)
            return verdict;
        event.object = trace_writer_next(session->writer);
        if (addresses_enter(&session->live, record->pointer, event.object))
            return session_no_memory(session);
    }
    return session_emit(session, &event, thread, record);
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
    int verdict = session_allocate(session, thread, &allocation, last_call);
    session->orphan_frees += verdict == MERGE_TAKEN;
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
        return session_free_number(session, moving->number, thread, record);
    }
    struct trace_event event = {
        .kind = TRACE_REALLOC,
        .object = moving->number,
        .size = record->size,
        .flags = record->pointer ? 0 : TRACE_FAILED,
    };
    if (record->pointer) {
        int verdict = session_make_way(session, thread, record, last_call);
        if (verdict)
            return verdict;
    }
    uint64_t address = record->pointer ? record->pointer : moving->address;
    moving->address = 0;
    if (addresses_enter(&session->live, address, event.object))
        return session_no_memory(session);
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
    const uint64_t *words = record->told;
    uint32_t number = (uint32_t)words[0];
    uint64_t hash = words[1] | 1; /* 0 stands for an empty slot */
    if (array_reserve(&session->sites, (number + (size_t)1) * sizeof number))
        return session_no_memory(session);
    struct table_slot *slot = table_enter(&session->site_of_hash, hash);
    if (!slot)
        return session_no_memory(session);
    if (!slot->value)
        slot->value = session_describe(session, words + 2, record->words - 4);
    ((uint32_t *)session->sites.at)[number] = (uint32_t)slot->value;
    return 0;
}

/* A stack's definition may come a moment after its first use, as a stamp may be early. */
static bool session_knows_site(const struct session *session, uint32_t number)
{
    return (number + (size_t)1) * sizeof number <= session->sites.bytes &&
           ((uint32_t *)session->sites.at)[number];
}

static int session_told(struct session *session, const struct intake_record *record)
{
    if (!session->symbols)
        return 0;
    return record->what == SPOOL_STACK ? session_stack(session, record)
                                       : session_module(session, record->told);
}

static int session_take(struct session *session, uint32_t thread,
                        const struct intake_record *record, bool last_call)
{
    switch (record->kind) {
    case SPOOL_CONTROL:
        return session_told(session, record);
    case SPOOL_FREE:
        return session_free(session, thread, record);
    case SPOOL_RELEASE:
        return session_release_half(session, thread, record);
    case SPOOL_RESIZE:
        return session_resize(session, thread, record, last_call);
    default:
        return session_allocate(session, thread, record, last_call);
    }
}

int session_visit(void *arg, uint32_t thread, const struct intake_record *record, bool last_call)
{
    struct session *session = arg;
    if (!record->site || session_knows_site(session, record->site))
        return session_take(session, thread, record, last_call);
    if (!last_call)
        return MERGE_LATER;
    struct intake_record siteless = *record;
    siteless.site = 0;
    return session_take(session, thread, &siteless, last_call);
}

int session_exec(struct session *session, const char *program)
{
    struct intake_record record = {0};
    uint64_t objects = trace_writer_summary(session->writer)->objects;
    for (uint32_t number = 0; number < objects; number++) {
        int failed = trace_writer_is_live(session->writer, number)
                         ? session_free_number(session, number, 0, &record)
                         : 0;
        if (failed)
            return failed;
    }
    addresses_release(&session->live);
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
    snprintf(text, sizeof text, "exec %.32s", program);
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
    table_release(&session->site_of_hash);
    array_release(&session->moving);
    array_release(&session->sites);
    symbols_destroy(session->symbols);
    session->symbols = NULL;
    session->writer = NULL;
}
