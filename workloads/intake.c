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

static void intake_decode(const struct intake *intake, uint64_t head, struct intake_record *record)
{
    const struct spool_chunk *chunk = intake_chunk(intake);
    uint32_t at = intake->at + 1;
    *record = (struct intake_record){
        .stamp = intake->stamp,
        .stamped = head & SPOOL_STAMPED,
        .kind = head & 7,
        .pointer = head >> SPOOL_POINTER_SHIFT,
        .size = (head >> SPOOL_SIZE_SHIFT) & (SPOOL_SMALL - 1),
    };
    if (record->stamped)
        record->stamp = chunk->words[at++];
    if (head & SPOOL_SIZED)
        record->size = chunk->words[at++];
    if (record->kind == SPOOL_ALIGNED)
        record->align = chunk->words[at++];
    if (head & SPOOL_SITED)
        record->site = (uint32_t)chunk->words[at++];
    record->words = at - intake->at;
}

static bool intake_is_told(uint64_t head)
{
    uint32_t what = (head >> SPOOL_SIZE_SHIFT) & (SPOOL_SMALL - 1);
    return (head & 7) == SPOOL_CONTROL && (what == SPOOL_MODULE || what == SPOOL_STACK);
}

static void intake_decode_told(const struct intake *intake, uint64_t head,
                               struct intake_record *record)
{
    const struct spool_chunk *chunk = intake_chunk(intake);
    bool stamped = head & SPOOL_STAMPED;
    *record = (struct intake_record){
        .kind = SPOOL_CONTROL,
        .what = (head >> SPOOL_SIZE_SHIFT) & (SPOOL_SMALL - 1),
        .told = (const uint64_t *)&chunk->words[intake->at + 2],
        .stamp = stamped ? chunk->words[intake->at + 1] : intake->stamp,
        .stamped = stamped,
        .words = (uint32_t)(head >> SPOOL_POINTER_SHIFT),
    };
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

enum intake_state intake_peek(struct intake *intake, bool ended, struct intake_record *record)
{
    uint64_t head = intake_head(intake);
    while ((head & 7) == SPOOL_HOLE || ((head & 7) == SPOOL_CONTROL && !intake_is_told(head))) {
        if (!intake_skip(intake, head, ended)) {
            if (intake->begun == intake->count)
                return INTAKE_IDLE;
            uint32_t taken = __atomic_load_n(&intake_chunk(intake)->taken, __ATOMIC_RELAXED);
            bool under_way = taken > intake->at && intake->at < SPOOL_WORDS &&
                             head != (SPOOL_CONTROL | SPOOL_END << SPOOL_SIZE_SHIFT);
            return under_way ? INTAKE_HOLE : INTAKE_IDLE;
        }
        head = intake_head(intake);
    }
    if ((head & 7) == SPOOL_CONTROL)
        intake_decode_told(intake, head, record);
    else
        intake_decode(intake, head, record);
    return INTAKE_RECORD;
}

void intake_release(struct intake *intake)
{
    while (intake->begun < intake->count)
        intake_next_chunk(intake);
    array_release(&intake->chunks);
}
