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

/* A call's record at `at`; returns the word behind it. */
static uint32_t intake_decode(const struct spool_chunk *chunk, uint32_t at, uint64_t head,
                              struct intake_record *record)
{
    at++;
    record->pointer = head >> SPOOL_POINTER_SHIFT;
    record->size = (head >> SPOOL_SIZE_SHIFT) & (SPOOL_SMALL - 1);
    record->site = 0;
    record->kind = head & 7;
    record->what = 0;
    record->align_log2 = 0;
    record->stamped = (head & SPOOL_STAMPED) != 0;
    if (head & SPOOL_STAMPED)
        record->stamp = chunk->words[at++];
    if (head & SPOOL_SIZED)
        record->size = chunk->words[at++];
    if (record->kind == SPOOL_ALIGNED) {
        uint64_t align = chunk->words[at++];
        record->align_log2 = align ? (uint8_t)__builtin_ctzll(align) : 0;
    }
    if (head & SPOOL_SITED)
        record->site = (uint32_t)chunk->words[at++];
    return at;
}

static bool intake_is_told(uint64_t head)
{
    uint32_t what = (head >> SPOOL_SIZE_SHIFT) & (SPOOL_SMALL - 1);
    return (head & 7) == SPOOL_CONTROL &&
           (what == SPOOL_MODULE || what == SPOOL_STACK || what == SPOOL_TOUCHED);
}

static uint32_t intake_decode_told(const struct spool_chunk *chunk, uint32_t at, uint64_t head,
                                   struct intake_record *record)
{
    uint32_t words = (uint32_t)(head >> SPOOL_POINTER_SHIFT);
    record->pointer = (uintptr_t)&chunk->words[at + 2];
    record->size = words - 2;
    record->site = 0;
    record->kind = SPOOL_CONTROL;
    record->what = (head >> SPOOL_SIZE_SHIFT) & (SPOOL_SMALL - 1);
    record->align_log2 = 0;
    record->stamped = (head & SPOOL_STAMPED) != 0;
    if (head & SPOOL_STAMPED)
        record->stamp = chunk->words[at + 1];
    return at + words;
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
    uint32_t what = (head >> SPOOL_SIZE_SHIFT) & (SPOOL_SMALL - 1);
    bool full = intake->at >= SPOOL_WORDS || (is_control && what == SPOOL_END);
    if (is_control && what == SPOOL_THREAD) {
        intake_next_thread(intake);
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
        intake->at += (uint32_t)(head >> SPOOL_POINTER_SHIFT);
    } else if (intake->at < taken) {
        intake->at++;
    } else {
        intake_next_chunk(intake);
    }
    return true;
}

/* Records up to the first word that is none. */
static void intake_decode_all(struct intake *intake)
{
    const struct spool_chunk *chunk = intake_chunk(intake);
    uint32_t at = intake->at, ready = 0, stamped = 0;
    uint64_t stamp = intake->stamp;
    while (ready < INTAKE_AHEAD && at < SPOOL_WORDS) {
        uint64_t head = atomic_load_explicit(&chunk->words[at], memory_order_acquire);
        struct intake_record *record = &intake->ahead[ready];
        record->stamp = stamp;
        if ((head & 7) == SPOOL_CONTROL && intake_is_told(head))
            at = intake_decode_told(chunk, at, head, record);
        else if ((head & 7) == SPOOL_HOLE || (head & 7) == SPOOL_CONTROL)
            break;
        else
            at = intake_decode(chunk, at, head, record);
        stamp = record->stamp;
        stamped += record->stamped;
        ready++;
    }
    intake->at = at;
    intake->ready = ready;
    intake->stamped += stamped;
    intake->plain += ready - stamped;
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

enum intake_state intake_fill(struct intake *intake, bool ended)
{
    uint64_t head = intake_head(intake);
    intake->next = intake->ready = 0;
    while ((head & 7) == SPOOL_HOLE || ((head & 7) == SPOOL_CONTROL && !intake_is_told(head))) {
        if (!intake_skip(intake, head, ended))
            return intake_nothing(intake, head);
        head = intake_head(intake);
    }
    intake_decode_all(intake);
    return INTAKE_RECORD;
}

void intake_release(struct intake *intake)
{
    while (intake->begun < intake->count)
        intake_next_chunk(intake);
    array_release(&intake->chunks);
}
