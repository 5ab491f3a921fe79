/* One thread's records, decoded. */
#include "workloads/intake.h"

static struct spool_chunk *intake_chunk(const struct intake *intake)
{
    uint32_t number = ((uint32_t *)intake->chunks.at)[intake->begun];
    return spool_chunk_at(intake->spool->control, number);
}

int intake_add(struct intake *intake, uint32_t chunk)
{
    if (intake->begun == intake->count)
        intake->begun = intake->count = 0;
    int failed = array_reserve(&intake->chunks, (intake->count + 1) * sizeof chunk);
    if (!failed)
        ((uint32_t *)intake->chunks.at)[intake->count++] = chunk;
    return failed;
}

static void intake_next_thread(struct intake *intake)
{
    intake->thread = (*intake->threads)++;
    intake->at++;
}

static void intake_next_chunk(struct intake *intake)
{
    spool_give_back(intake->spool, ((uint32_t *)intake->chunks.at)[intake->begun++]);
    intake->at = 0;
}

static uint64_t intake_what(uint64_t head)
{
    return (head >> SPOOL_SIZE_SHIFT) & (SPOOL_SMALL - 1);
}

static bool intake_is_told(uint64_t head)
{
    uint64_t what = intake_what(head);
    return (head & 7) == SPOOL_CONTROL &&
           (what == SPOOL_MODULE || what == SPOOL_STACK || what == SPOOL_TOUCHED);
}

/* There is a word for the stamp in any case, of which `at` may be the place. */
static uint32_t intake_decode_told(const _Atomic uint64_t *words, uint32_t at, uint64_t head,
                                   struct intake_record *record)
{
    at += !(head & SPOOL_STAMPED);
    record->pointer = (uintptr_t)&words[at];
    record->size = (head >> SPOOL_POINTER_SHIFT) - 2;
    record->trait = (uint8_t)intake_what(head);
    return at + (uint32_t)record->size;
}

/* The least power of two that will do: what allocators make of another number. */
static uint8_t intake_align(uint64_t align)
{
    if (align > UINT64_C(1) << 63)
        return 63;
    return align > 1 ? (uint8_t)(64 - __builtin_clzll(align - 1)) : 0;
}

/* What is behind the head and the stamp; returns the word behind it. */
static uint32_t intake_decode_more(const _Atomic uint64_t *words, uint32_t at, uint64_t head,
                                   struct intake_record *record)
{
    if (record->kind == SPOOL_CONTROL)
        return intake_decode_told(words, at, head, record);
    if (head & SPOOL_SIZED)
        record->size = words[at++];
    if (record->kind == SPOOL_ALIGNED)
        record->trait = intake_align(words[at++]);
    if (head & SPOOL_SITED)
        record->site = (uint32_t)words[at++];
    return at;
}

static void intake_decode(struct intake *intake, uint64_t head)
{
    const _Atomic uint64_t *words = intake_words(intake);
    uint32_t at = intake->at + 1;
    bool is_stepped = head & SPOOL_STEPPED;
    intake->has_stamp = is_stepped || head & SPOOL_STAMPED;
    intake->next = (struct intake_record){
        .pointer = spool_pointer(head),
        .size = intake_what(head),
        .stamp = is_stepped          ? spool_stepped(head, intake->stamp)
                 : intake->has_stamp ? words[at++]
                                     : intake->stamp,
        .kind = head & 7,
    };
    intake->behind = intake_decode_more(words, at, head, &intake->next);
}

static uint64_t intake_head(const struct intake *intake)
{
    if (intake->begun == intake->count || intake->at >= SPOOL_WORDS)
        return SPOOL_HOLE;
    return atomic_load_explicit(&intake_chunk(intake)->words[intake->at], memory_order_acquire);
}

/* Moves past what is no record. False: nothing is left for now. */
static bool intake_skip(struct intake *intake, uint64_t head, bool ended)
{
    if (intake->begun == intake->count)
        return false;
    uint32_t taken = __atomic_load_n(&intake_chunk(intake)->taken, __ATOMIC_RELAXED);
    bool is_control = (head & 7) == SPOOL_CONTROL;
    uint64_t what = intake_what(head);
    bool full = intake->at >= SPOOL_WORDS || (is_control && what == SPOOL_END);
    if (is_control && what == SPOOL_THREAD) {
        intake_next_thread(intake);
        return true;
    }
    if (is_control && what == SPOOL_NOTHING) {
        intake->at++;
        return true;
    }
    /* A full chunk is the thread's until it has another. */
    if (full && (ended || intake->begun + 1 < intake->count)) {
        intake_next_chunk(intake);
        return true;
    }
    if (full || !ended)
        return false;
    if (is_control) {
        intake->lost++;
        uint32_t words = (uint32_t)(head >> SPOOL_POINTER_SHIFT);
        intake->at += words ? words : 1; /* a program may have written there */
    } else if (intake->at < taken) {
        intake->at++;
    } else {
        intake_next_chunk(intake);
    }
    return true;
}

static enum intake_state intake_nothing(const struct intake *intake, uint64_t head)
{
    if (intake->begun == intake->count)
        return INTAKE_IDLE;
    uint32_t taken = __atomic_load_n(&intake_chunk(intake)->taken, __ATOMIC_RELAXED);
    bool under_way = taken > intake->at && intake->at < SPOOL_WORDS &&
                     head != (SPOOL_CONTROL | SPOOL_END << SPOOL_SIZE_SHIFT);
    return under_way ? INTAKE_HOLE : INTAKE_IDLE;
}

enum intake_state intake_look(struct intake *intake, bool ended)
{
    uint64_t head = intake_head(intake);
    while ((head & 7) == SPOOL_HOLE || ((head & 7) == SPOOL_CONTROL && !intake_is_told(head))) {
        if (!intake_skip(intake, head, ended))
            return intake_nothing(intake, head);
        head = intake_head(intake);
    }
    intake_decode(intake, head);
    return INTAKE_RECORD;
}

void intake_release(struct intake *intake)
{
    while (intake->begun < intake->count)
        intake_next_chunk(intake);
    array_release(&intake->chunks);
}
