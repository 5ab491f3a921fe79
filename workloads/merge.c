/* K-way merge of the streams' records: a binary heap of heads by stamp. */
#include "workloads/merge.h"

#include <errno.h>

struct merge_head {
    uint64_t key; /* the head record's stamp, or later where it was put off */
    uint32_t stream;
};

int merge_add(struct merge *merge, struct spool *spool)
{
    size_t count = merge->streams + 1;
    if (array_reserve(&merge->intakes, count * sizeof(struct intake)) ||
        array_reserve(&merge->heap, count * sizeof(struct merge_head)))
        return -ENOMEM;
    *merge_intake(merge, merge->streams++) =
        (struct intake){.spool = spool, .thread = merge->threads++, .threads = &merge->threads};
    return 0;
}

static void merge_sink(struct merge *merge, uint32_t at)
{
    struct merge_head *heap = merge->heap.at, head = heap[at];
    for (uint32_t child; (child = 2 * at + 1) < merge->heads; at = child) {
        if (child + 1 < merge->heads && heap[child + 1].key < heap[child].key)
            child++;
        if (heap[child].key >= head.key)
            break;
        heap[at] = heap[child];
    }
    heap[at] = head;
}

/* The lowest key behind the first's: the first may go on until then. */
static uint64_t merge_next_key(const struct merge *merge)
{
    const struct merge_head *heap = merge->heap.at;
    uint64_t key = UINT64_MAX;
    for (uint32_t i = 1; i < 3 && i < merge->heads; i++)
        key = heap[i].key < key ? heap[i].key : key;
    return key;
}

/* Behind the next stream's head, but no further than a record's stamp can be early: from there on
 * nothing can come to its rescue. */
static void merge_put_off(struct merge_head *head, uint64_t stamp, uint64_t next, uint64_t slack)
{
    uint64_t last = stamp + slack;
    head->key = (next < last ? next : last) + 1;
}

/* Records that the visitor takes by the row. */
static int merge_row(struct merge_head *first, struct intake *intake, uint64_t until,
                     const struct merge_visitor *visitor)
{
    int taken = visitor->run ? visitor->run(visitor->arg, intake, until) : 0;
    if (taken > 0)
        first->key = intake->stamp;
    return taken;
}

/* The first stream's records up to the next one's head. 1: a record is under way, nothing later
 * is sure. */
static int merge_batch(struct merge *merge, uint64_t limit, bool ended,
                       const struct merge_visitor *visitor)
{
    struct merge_head *first = merge->heap.at;
    struct intake *intake = merge_intake(merge, first->stream);
    const struct intake_record *record = &intake->next;
    uint64_t next = merge_next_key(merge);
    uint64_t until = next < limit ? next : limit;
    enum intake_state state;
    for (;;) {
        int verdict = merge_row(first, intake, until, visitor);
        if (verdict < 0)
            return verdict;
        if ((state = intake_look(intake, ended)) != INTAKE_RECORD)
            break;
        if (record->stamp > until) {
            first->key = record->stamp;
            return 0;
        }
        bool last_call = first->key > record->stamp + visitor->slack;
        verdict = visitor->visit(visitor->arg, intake->thread, record, last_call);
        if (verdict > 0)
            merge_put_off(first, record->stamp, next, visitor->slack);
        if (verdict)
            return verdict < 0 ? verdict : 0;
        intake_take(intake);
        first->key = intake->stamp;
    }
    *first = ((struct merge_head *)merge->heap.at)[--merge->heads];
    return state == INTAKE_HOLE;
}

/* A record under way in any thread bars everything above that thread's last stamp. */
static void merge_collect(struct merge *merge, bool ended, uint64_t *limit)
{
    struct merge_head *heap = merge->heap.at;
    merge->heads = 0;
    for (uint32_t i = 0; i < merge->streams; i++) {
        struct intake *intake = merge_intake(merge, i);
        enum intake_state state = intake_look(intake, ended);
        if (state == INTAKE_HOLE && intake->stamp < *limit)
            *limit = intake->stamp;
        if (state == INTAKE_RECORD)
            heap[merge->heads++] = (struct merge_head){.key = intake->next.stamp, .stream = i};
    }
    for (uint32_t i = merge->heads / 2; i-- > 0;)
        merge_sink(merge, i);
}

int merge_run(struct merge *merge, uint64_t limit, bool ended, const struct merge_visitor *visitor)
{
    if (ended)
        limit = UINT64_MAX;
    merge_collect(merge, ended, &limit);
    while (merge->heads && ((struct merge_head *)merge->heap.at)->key <= limit) {
        int stop = merge_batch(merge, limit, ended, visitor);
        if (stop)
            return stop < 0 ? stop : 0;
        merge_sink(merge, 0);
    }
    return 0;
}

uint64_t merge_waiting(const struct merge *merge)
{
    uint64_t waiting = 0;
    for (uint32_t i = 0; i < merge->streams; i++)
        waiting += merge_intake(merge, i)->count - merge_intake(merge, i)->begun;
    return waiting;
}

struct merge_tally merge_tally(const struct merge *merge)
{
    struct merge_tally tally = {0};
    for (uint32_t i = 0; i < merge->streams; i++) {
        const struct intake *intake = merge_intake(merge, i);
        tally.lost += intake->lost;
        tally.plain += intake->plain;
        tally.stamped += intake->stamped;
    }
    return tally;
}

void merge_release(struct merge *merge)
{
    for (uint32_t i = 0; i < merge->streams; i++)
        intake_release(merge_intake(merge, i));
    array_release(&merge->intakes);
    array_release(&merge->heap);
    merge->streams = merge->heads = merge->threads = 0;
}
