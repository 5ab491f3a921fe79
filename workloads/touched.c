/* What a program touched of its large blocks. */
#include "workloads/touched.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workloads/bytes.h"
#include "workloads/format.h"

/* --- writing --- */

static struct trace_touched *touched_at(const struct touched_list *list, size_t i)
{
    return (struct trace_touched *)list->entries.at + i;
}

int touched_add(struct touched_list *list, uint64_t event, uint32_t pages)
{
    if (array_reserve(&list->entries, (list->count + 1) * sizeof(struct trace_touched)))
        return -ENOMEM;
    *touched_at(list, list->count++) = (struct trace_touched){event, pages};
    return 0;
}

/* By event, and within it from few pages to many: 0 stands for all. */
static int touched_order(const void *a, const void *b)
{
    const struct trace_touched *left = a, *right = b;
    if (left->event != right->event)
        return left->event < right->event ? -1 : 1;
    uint32_t fewer = left->pages - 1, more = right->pages - 1;
    return (fewer > more) - (fewer < more);
}

void touched_settle(struct touched_list *list)
{
    size_t kept = 0;
    if (list->count) /* an empty list has no entries to point at */
        qsort(list->entries.at, list->count, sizeof(struct trace_touched), touched_order);
    for (size_t i = 0; i < list->count; i++) {
        struct trace_touched entry = *touched_at(list, i);
        bool last = i + 1 == list->count || touched_at(list, i + 1)->event != entry.event;
        if (last && entry.pages)
            *touched_at(list, kept++) = entry;
    }
    list->count = kept;
}

size_t touched_pack(const struct touched_list *list, size_t from, size_t count, uint64_t *before,
                    uint8_t *raw)
{
    uint8_t *at = raw;
    for (size_t i = from; i < from + count; i++) {
        const struct trace_touched *entry = touched_at(list, i);
        at += bytes_put_varint(at, entry->event - *before);
        at += bytes_put_varint(at, entry->pages);
        *before = entry->event;
    }
    return (size_t)(at - raw);
}

void touched_release(struct touched_list *list)
{
    array_release(&list->entries);
    list->count = 0;
}

/* --- reading --- */

/* Through /proc, so that standard input has an offset of its own too. */
static int touched_open_again(struct touched_reader *reader, const struct chunks *of,
                              struct err *err)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", of->fd);
    int failed = chunks_open(&reader->chunks, path, err);
    memcpy(reader->chunks.path, of->path, sizeof reader->chunks.path);
    reader->open = true;
    return failed;
}

int touched_open(struct touched_reader *reader, const struct chunks *of,
                 const struct chunk_needs *needs, size_t entries, struct err *err)
{
    int failed = touched_open_again(reader, of, err);
    if (failed)
        return failed;
    reader->start = needs->touched;
    if (array_reserve(&reader->chunks.stored, needs->stored) ||
        array_reserve(&reader->chunks.raw, needs->raw + (size_t)TOUCHED_ENTRY) ||
        array_reserve(&reader->taken, entries * sizeof(struct trace_touched)))
        return chunks_no_memory(&reader->chunks, err);
    return touched_rewind(reader, err);
}

int touched_rewind(struct touched_reader *reader, struct err *err)
{
    if (!reader->open)
        return 0;
    if (lseek(reader->chunks.fd, (off_t)reader->start, SEEK_SET) < 0)
        return err_set(err, errno, "cannot read %s: %s", reader->chunks.path, strerror(errno));
    reader->chunks.offset = reader->start;
    reader->left = 0;
    reader->next.pages = 0;
    reader->event = 0;
    reader->ended = reader->any = false;
    return 0;
}

static int touched_next_chunk(struct touched_reader *reader, struct err *err)
{
    struct chunk chunk;
    int failed = chunks_next(&reader->chunks, &chunk, err);
    if (failed)
        return failed;
    if (chunk.tag != FORMAT_TOUCHED) {
        reader->ended = true;
        return 0;
    }
    if (array_reserve(&reader->chunks.raw, chunk.raw + (size_t)TOUCHED_ENTRY))
        return chunks_no_memory(&reader->chunks, err);
    failed = chunks_unpack_whole(&reader->chunks, &chunk, err);
    reader->at = reader->chunks.raw.at;
    reader->end = reader->at + chunk.raw;
    reader->left = chunk.count;
    return failed;
}

/* Reads the next entry into `next`, unless it is there already or there is none. */
static int touched_peek(struct touched_reader *reader, struct err *err)
{
    int failed = 0;
    while (!failed && !reader->left && !reader->ended && !reader->next.pages)
        failed = touched_next_chunk(reader, err);
    if (failed || reader->ended || reader->next.pages)
        return failed;
    uint64_t passed = bytes_get_varint(&reader->at), pages = bytes_get_varint(&reader->at);
    uint64_t event = reader->event + passed;
    if (reader->at > reader->end || !pages || pages > UINT32_MAX || event < passed ||
        event == UINT64_MAX || (reader->any && !passed))
        return chunks_damaged(&reader->chunks, "touched pages that cannot be", err);
    reader->left--;
    reader->event = event;
    reader->any = true;
    reader->next = (struct trace_touched){event, (uint32_t)pages};
    return 0;
}

int touched_take(struct touched_reader *reader, uint64_t end, const struct trace_touched **entries,
                 size_t *count, struct err *err)
{
    size_t taken = 0;
    int failed = 0;
    while (reader->open && !(failed = touched_peek(reader, err)) && reader->next.pages &&
           reader->next.event < end) {
        if (array_reserve(&reader->taken, (taken + 1) * sizeof reader->next))
            return chunks_no_memory(&reader->chunks, err);
        ((struct trace_touched *)reader->taken.at)[taken++] = reader->next;
        reader->next.pages = 0;
    }
    *entries = reader->taken.at;
    *count = taken;
    return failed;
}

void touched_close(struct touched_reader *reader)
{
    if (reader->open)
        chunks_close(&reader->chunks);
    array_release(&reader->taken);
    reader->open = false;
}
