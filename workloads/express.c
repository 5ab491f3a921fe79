/* Rows of plain records. What an event changes is kept in variables of the row. */
#include "workloads/express.h"

#include "workloads/encoder.h"
#include "workloads/merge.h"
#include "workloads/session.h"

enum {
    EXPRESS_LEAVES_NEAR = 64, /* of addresses: fewer are in the processor's caches anyway */
    EXPRESS_SOON = 10,        /* words ahead of which the live object's state is fetched … */
    EXPRESS_LATER = 24,       /* … and the cell that names the object */
    EXPRESS_HEAD = 63,        /* the kind and the flags of a head */
};

/* A bit for every kind with its flags: what is taken here. */
#define EXPRESS_BITS(kind) (UINT64_C(1) << (kind) | UINT64_C(1) << ((kind) | SPOOL_STAMPED))
static const uint64_t EXPRESS_PLAIN =
    EXPRESS_BITS(SPOOL_FREE) | EXPRESS_BITS(SPOOL_MALLOC) | EXPRESS_BITS(SPOOL_CALLOC);
static const uint64_t EXPRESS_SITED =
    EXPRESS_BITS(SPOOL_MALLOC | SPOOL_SITED) | EXPRESS_BITS(SPOOL_CALLOC | SPOOL_SITED);

struct express_record {
    uint64_t head, address, stamp;
    uint32_t words;
    bool is_stamped, is_sited;
};

/* `stamp` is that of the record before. What is no record has no stamp of its own. There are
 * branches here as nearly all of a recording's are of one form. */
__attribute__((always_inline)) static inline struct express_record
express_read(const _Atomic uint64_t *words, uint32_t at, uint64_t stamp)
{
    uint64_t head = atomic_load_explicit(&words[at], memory_order_acquire);
    struct express_record record = {head, head >> SPOOL_POINTER_SHIFT, stamp, 1, false, false};
    if (head & SPOOL_STEPPED) {
        record.address = spool_pointer(head);
        record.stamp = spool_stepped(head, stamp);
        record.is_stamped = true;
        return record;
    }
    if (head & SPOOL_STAMPED) {
        record.stamp = atomic_load_explicit(&words[at + record.words++], memory_order_relaxed);
        record.is_stamped = true;
    }
    record.is_sited = head & SPOOL_SITED;
    record.words += record.is_sited;
    return record;
}

/* Of an address: the leaf and the cell in it, NULL where a record of that kind contradicts the
 * table of live blocks, or where there is no room for another number. */
struct express_place {
    struct table_slot *slot;
    uint32_t *cell;
};

__attribute__((always_inline)) static inline struct express_place
express_find(const struct encoder_row *row, const struct addresses *live, uint64_t room,
             const struct express_record *record)
{
    uint64_t address = record->address;
    struct table_slot *slot = addresses_slot(live, address);
    if (!slot)
        return (struct express_place){0};
    uint32_t *cell = addresses_cell(slot, address);
    bool fits = (!*cell == spool_allocates(record->head & 7)) & (row->head < room);
    return (struct express_place){slot, fits ? cell : NULL};
}

__attribute__((always_inline)) static inline void express_take(struct encoder_row *row,
                                                               struct addresses *live,
                                                               struct express_place place,
                                                               uint64_t head, unsigned traits)
{
    if (!spool_allocates(head & 7)) {
        encoder_row_free(row, TRACE_FREE | traits, *place.cell - 1);
        *place.cell = 0;
        if (--place.slot->value % ADDRESSES_BYTES == 0)
            addresses_end(live, place.slot);
        return;
    }
    *place.cell = (uint32_t)row->head + 1;
    place.slot->value++;
    encoder_row_allocate(row, ((head & 7) == SPOOL_CALLOC ? TRACE_CALLOC : TRACE_MALLOC) | traits,
                         (head >> SPOOL_SIZE_SHIFT) % SPOOL_SMALL);
}

/* What looks like a head may be a stamp, or tell its stamp in another way than the present one:
 * nothing is at its address then, as a rule. */
__attribute__((always_inline)) static inline void express_expect(const struct encoder_row *row,
                                                                 const struct addresses *live,
                                                                 const _Atomic uint64_t *words,
                                                                 uint32_t at, bool is_stepped)
{
    uint64_t low = is_stepped ? SPOOL_STEPS - 1 : 0;
    if (at + EXPRESS_LATER >= SPOOL_WORDS)
        return;
    uint64_t far = words[at + EXPRESS_LATER] >> SPOOL_POINTER_SHIFT & SPOOL_POINTERS & ~low;
    uint64_t near = words[at + EXPRESS_SOON] >> SPOOL_POINTER_SHIFT & SPOOL_POINTERS & ~low;
    const uint32_t *later = addresses_expect(live, far), *soon = addresses_expect(live, near);
    __builtin_prefetch(later, 1);
    if (soon && *soon)
        __builtin_prefetch(&row->objects[*soon - 1], 1);
}

static void express_took(struct intake *intake, uint32_t at, uint64_t stamp, uint32_t count,
                         uint32_t stamped)
{
    intake->at = at;
    intake->stamp = stamp;
    intake->stamped += stamped;
    intake->plain += count - stamped;
}

/* What the rows of a run have in common; `more`: times or call stacks; `is_far`: the table of live
 * blocks is larger than the caches. */
struct express {
    struct session *session;
    const uint8_t *full; /* where the block's tags end */
    uint64_t room, kinds;
    bool more, is_far;
};

/* The call stack's number, as the program numbers them; 0: none. */
__attribute__((always_inline)) static inline uint32_t
express_site(const struct express *express, const _Atomic uint64_t *words, uint32_t at,
             const struct express_record *record)
{
    return express->more && record->is_sited ? (uint32_t)words[at + record->words - 1] : 0;
}

__attribute__((always_inline)) static inline void
express_put(const struct express *express, struct encoder_row *row, struct express_place place,
            const struct express_record *record, uint32_t site, unsigned traits)
{
    struct session *session = express->session;
    traits |= site ? CODEC_TAG_SITE : 0;
    express_take(row, &session->live, place, record->head, traits);
    if (express->more)
        encoder_more(session->encoder, row, session_site(session, site),
                     session_time(session, record->stamp));
}

/* One thread's row, as far as its stamps are at most `until`. The stamp that is beyond, or 0 where
 * the row ends for any other reason. */
__attribute__((always_inline)) static inline uint64_t express_row(const struct express *express,
                                                                  struct encoder_row *row,
                                                                  struct intake *intake,
                                                                  uint64_t until)
{
    struct session *session = express->session;
    const _Atomic uint64_t *words = intake_words(intake);
    const uint8_t *tags = row->at[CODEC_TAG];
    bool turns = intake->thread != session->encoder->asked;
    uint64_t stamp = intake->stamp, beyond = 0;
    uint32_t at = intake->at, stamped = 0;
    while (at < SPOOL_WORDS && row->at[CODEC_TAG] < express->full) {
        const struct express_record record = express_read(words, at, stamp);
        if (!(express->kinds >> (record.head & EXPRESS_HEAD) & 1))
            break;
        if (record.stamp > until) {
            beyond = record.stamp;
            break;
        }
        uint32_t site = express_site(express, words, at, &record);
        if (express->is_far)
            express_expect(row, &session->live, words, at, record.head & SPOOL_STEPPED);
        struct express_place place = express_find(row, &session->live, express->room, &record);
        if (!place.cell || (site && !session_knows_site(session, site)))
            break;
        int traits = turns ? encoder_turn_row(session->encoder, row, intake->thread) : 0;
        if (traits < 0)
            break;
        express_put(express, row, place, &record, site, (unsigned)traits);
        turns = false;
        stamp = record.stamp;
        stamped += record.is_stamped;
        at += record.words;
    }
    express_took(intake, at, stamp, (uint32_t)(row->at[CODEC_TAG] - tags), stamped);
    return beyond;
}

/* Rows until one ends for another reason than another thread's turn. */
__attribute__((always_inline)) static inline void express_rows(const struct express *common,
                                                               struct merge *merge, uint64_t limit,
                                                               bool more, bool is_far)
{
    struct express own = *common;
    own.more = more;
    own.is_far = is_far;
    const struct express *express = &own;
    struct encoder *encoder = express->session->encoder;
    struct encoder_row row = encoder->row;
    for (;;) {
        struct merge_head *first = merge_first(merge);
        struct intake *intake = merge_intake(merge, first->stream);
        uint64_t next = merge_next_key(merge), before = intake->stamp;
        if (first->key > limit || !intake_words(intake))
            break;
        uint64_t beyond = express_row(express, &row, intake, next < limit ? next : limit);
        if (beyond || intake->stamp != before)
            first->key = beyond ? beyond : intake->stamp;
        if (!beyond)
            break;
        merge_sink(merge, 0);
    }
    encoder->row = row;
}

int express_run(void *arg, struct merge *merge, uint64_t limit)
{
    struct session *session = arg;
    struct encoder *encoder = session->encoder;
    bool sites = encoder->columns & TRACE_HAS_SITES, times = encoder->columns & TRACE_HAS_TIMES;
    struct express express = {
        .session = session,
        .full = encoder->begin[CODEC_TAG] + FORMAT_BLOCK_EVENTS,
        .room = encoder_room(encoder),
        .kinds = sites ? EXPRESS_PLAIN | EXPRESS_SITED : EXPRESS_PLAIN,
    };
    if (sites || times)
        express_rows(&express, merge, limit, true, true);
    else if (session->live.leaves.count >= EXPRESS_LEAVES_NEAR)
        express_rows(&express, merge, limit, false, true);
    else
        express_rows(&express, merge, limit, false, false);
    return encoder_is_full(encoder) ? trace_writer_block(session->writer, session->err) : 0;
}
