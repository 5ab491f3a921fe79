/* Rows of plain records. What an event changes is kept in variables of the row. */
#include "workloads/express.h"

#include "workloads/encoder.h"
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

/* False, with nothing done, for what contradicts the table of live blocks or has no room in it. */
__attribute__((always_inline)) static inline bool express_take(struct encoder_row *row,
                                                               struct addresses *live,
                                                               uint64_t room, uint64_t head,
                                                               unsigned traits)
{
    uint64_t address = spool_pointer(head);
    struct table_slot *slot = addresses_slot(live, address);
    uint32_t *cell = slot ? addresses_cell(slot, address) : NULL;
    if (!cell)
        return false;
    if ((head & 7) == SPOOL_FREE) {
        if (!*cell)
            return false;
        encoder_row_free(row, TRACE_FREE | traits, *cell - 1);
        *cell = 0;
        if (--slot->value % ADDRESSES_BYTES == 0)
            addresses_end(live, slot);
        return true;
    }
    if (*cell || row->head >= room)
        return false;
    *cell = (uint32_t)row->head + 1;
    slot->value++;
    encoder_row_allocate(row, ((head & 7) - SPOOL_MALLOC + TRACE_MALLOC) | traits,
                         (head >> SPOOL_SIZE_SHIFT) % SPOOL_SMALL);
    return true;
}

/* What looks like a head may be a stamp: nothing is at its address then, as a rule. */
static void express_expect(const struct encoder_row *row, const struct addresses *live,
                           const _Atomic uint64_t *words, uint32_t at)
{
    if (at + EXPRESS_LATER >= SPOOL_WORDS)
        return;
    const uint32_t *later = addresses_expect(live, spool_pointer(words[at + EXPRESS_LATER]));
    const uint32_t *soon = addresses_expect(live, spool_pointer(words[at + EXPRESS_SOON]));
    __builtin_prefetch(later, 1);
    if (soon && *soon)
        __builtin_prefetch(&row->objects[*soon - 1], 1);
}

struct express_record {
    uint64_t head, stamp;
    uint32_t words;
    bool is_stamped, is_sited;
};

/* `stamp` is that of the record before. What is no record has no stamp of its own. */
__attribute__((always_inline)) static inline struct express_record
express_read(const _Atomic uint64_t *words, uint32_t at, uint64_t stamp)
{
    struct express_record record = {.head = atomic_load_explicit(&words[at], memory_order_acquire)};
    bool is_long = record.head & SPOOL_STAMPED, is_stepped = record.head & SPOOL_STEPPED;
    record.is_stamped = is_long | is_stepped;
    record.is_sited = record.head & SPOOL_SITED;
    record.words = 1u + is_long + record.is_sited;
    uint64_t own = atomic_load_explicit(&words[at + is_long], memory_order_relaxed);
    stamp = is_stepped ? spool_stepped(record.head, stamp) : stamp;
    record.stamp = is_long ? own : stamp;
    return record;
}

static void express_took(struct intake *intake, uint32_t at, uint64_t stamp, uint32_t count,
                         uint32_t stamped)
{
    intake->at = at;
    intake->stamp = stamp;
    intake->stamped += stamped;
    intake->plain += count - stamped;
}

/* One thread's row, at most as long as the block has room. `traits` are of its first tag; `more`:
 * with times or call stacks. */
__attribute__((always_inline)) static inline int express_row(struct session *session,
                                                             struct intake *intake, uint64_t until,
                                                             unsigned traits, bool more,
                                                             bool is_far)
{
    struct encoder *encoder = session->encoder;
    struct encoder_row row = encoder->row;
    const _Atomic uint64_t *words = intake_words(intake);
    const uint8_t *full = encoder->begin[CODEC_TAG] + FORMAT_BLOCK_EVENTS;
    bool sites = more && encoder->columns & TRACE_HAS_SITES;
    uint64_t kinds = sites ? EXPRESS_PLAIN | EXPRESS_SITED : EXPRESS_PLAIN;
    uint64_t room = encoder_room(encoder), stamp = intake->stamp;
    uint32_t at = intake->at, stamped = 0;
    while (at < SPOOL_WORDS && row.at[CODEC_TAG] < full) {
        struct express_record record = express_read(words, at, stamp);
        if (!(kinds >> (record.head & EXPRESS_HEAD) & 1) || record.stamp > until)
            break;
        uint32_t site = sites && record.is_sited ? (uint32_t)words[at + record.words - 1] : 0;
        if (site && !session_knows_site(session, site))
            break;
        if (is_far)
            express_expect(&row, &session->live, words, at);
        traits |= site ? CODEC_TAG_SITE : 0;
        if (!express_take(&row, &session->live, room, record.head, traits))
            break;
        traits = 0;
        if (more)
            encoder_more(encoder, &row, session_site(session, site),
                         session_time(session, record.stamp));
        stamp = record.stamp;
        stamped += record.is_stamped;
        at += record.words;
    }
    uint32_t count = (uint32_t)(row.at[CODEC_TAG] - encoder->row.at[CODEC_TAG]);
    encoder->row = row;
    express_took(intake, at, stamp, count, stamped);
    return (int)count;
}

/* Whether a row begins with the next record for sure, whose thread can so have its turn. */
static bool express_begins(const struct session *session, const struct intake *intake,
                           uint64_t until)
{
    const struct express_record record =
        express_read(intake_words(intake), intake->at, intake->stamp);
    if (!(EXPRESS_PLAIN >> (record.head & EXPRESS_HEAD) & 1) || record.stamp > until)
        return false;
    const uint32_t *cell = addresses_expect(&session->live, spool_pointer(record.head));
    if ((record.head & 7) == SPOOL_FREE)
        return cell && *cell;
    return cell && !*cell && session->encoder->row.head < encoder_room(session->encoder);
}

int express_run(void *arg, struct intake *intake, uint64_t until)
{
    struct session *session = arg;
    struct encoder *encoder = session->encoder;
    int turned = 0;
    if (!intake_words(intake) || intake->at >= SPOOL_WORDS)
        return 0;
    if (intake->thread != encoder->asked && (!express_begins(session, intake, until) ||
                                             (turned = encoder_turn(encoder, intake->thread)) < 0))
        return 0;
    bool is_far = session->live.leaves.count >= EXPRESS_LEAVES_NEAR;
    unsigned traits = (unsigned)turned;
    int count = encoder->columns & (TRACE_HAS_TIMES | TRACE_HAS_SITES)
                    ? express_row(session, intake, until, traits, true, true)
                : is_far ? express_row(session, intake, until, traits, false, true)
                         : express_row(session, intake, until, traits, false, false);
    int failed = encoder_is_full(encoder) ? trace_writer_block(session->writer, session->err) : 0;
    return failed ? failed : count;
}
