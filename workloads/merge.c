/* K-way merge of the streams' records: a binary heap of heads by stamp. */
#include "workloads/merge.h"

#include <errno.h>

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

/* Behind the next stream's head, but no further than a record's stamp can be early: from there on
 * nothing can come to its rescue. */
static void merge_put_off(struct merge_head *head, uint64_t stamp, uint64_t next, uint64_t slack)
{
    uint64_t last = stamp + slack;
    head->key = (next < last ? next : last) + 1;
}

/* The first stream's next record, or the news that it is not the first. 1: it is under way, nothing
 * later is sure. */
static int merge_visit(struct merge *merge, uint64_t limit, bool ended,
                       const struct merge_visitor *visitor)
{
    struct merge_head *first = merge_first(merge);
    struct intake *intake = merge_intake(merge, first->stream);
    const struct intake_record *record = &intake->next;
    uint64_t next = merge_next_key(merge);
    enum intake_state state = intake_look(intake, ended);
    if (state != INTAKE_RECORD) {
        *first = merge_first(merge)[--merge->heads];
        return state == INTAKE_HOLE;
    }
    if (record->stamp > (next < limit ? next : limit)) {
        first->key = record->stamp;
        return 0;
    }
    bool last_call = first->key > record->stamp + visitor->slack;
    int verdict = visitor->visit(visitor->arg, intake->thread, record, last_call);
    if (verdict > 0)
        merge_put_off(first, record->stamp, next, visitor->slack);
    if (verdict)
        return verdict < 0 ? verdict : 0;
    intake_take(intake);
    first->key = intake->stamp;
    return 0;
}

/* A record under way in any thread bars everything above that thread's last stamp. */
static void merge_collect(struct merge *merge, bool ended, uint64_t *limit)
{
    struct merge_head *heap = merge_first(merge);
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
    while (merge->heads && merge_first(merge)->key <= limit) {
        int stop = visitor->run ? visitor->run(visitor->arg, merge, limit) : 0;
        if (!stop && merge->heads && merge_first(merge)->key <= limit)
            stop = merge_visit(merge, limit, ended, visitor);
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
