/* Chunks of a trace file: read, checked, unpacked. */
#include "workloads/chunks.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "harness/base/pages.h"
#include "workloads/bytes.h"
#include "workloads/checksum.h"
#include "workloads/format.h"

int chunks_open(struct chunks *chunks, const char *path, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    strncpy(chunks->path, standard ? "standard input" : path, sizeof chunks->path - 1);
    chunks->fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (chunks->fd < 0)
        return err_set(err, errno, "cannot open %s: %s", chunks->path, strerror(errno));
    chunks->zstd_bytes = ZSTD_estimateDCtxSize();
    chunks->zstd_memory = pages_map(chunks->zstd_bytes);
    if (!chunks->zstd_memory)
        return chunks_no_memory(chunks, err);
    chunks->zstd = ZSTD_initStaticDCtx(chunks->zstd_memory, chunks->zstd_bytes);
    return 0;
}

void chunks_close(struct chunks *chunks)
{
    if (chunks->fd >= 0)
        close(chunks->fd);
    array_release(&chunks->raw);
    array_release(&chunks->stored);
    pages_unmap(chunks->zstd_memory, chunks->zstd_bytes);
}

int chunks_no_memory(const struct chunks *chunks, struct err *err)
{
    return err_set(err, ENOMEM, "no memory left to read %s", chunks->path);
}

int chunks_damaged(const struct chunks *chunks, const char *why, struct err *err)
{
    return err_set(err, EBADMSG,
                   "%s is damaged at offset %llu (%s); the %llu events before it are whole",
                   chunks->path, (unsigned long long)chunks->chunk_at, why,
                   (unsigned long long)chunks->events);
}

/* The bytes read: fewer than `length` only at the end of the file. */
ssize_t chunks_read(struct chunks *chunks, void *to, size_t length)
{
    size_t got = 0;
    while (got < length) {
        ssize_t n = read(chunks->fd, (char *)to + got, length - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    chunks->offset += got;
    return (ssize_t)got;
}

int chunks_exactly(struct chunks *chunks, void *to, size_t length, struct err *err)
{
    ssize_t got = chunks_read(chunks, to, length);
    if (got < 0)
        return err_set(err, (int)-got, "cannot read %s: %s", chunks->path, strerror((int)-got));
    if ((size_t)got < length)
        return chunks_damaged(chunks, "the file ends in the middle", err);
    return 0;
}

static const char *chunks_flaw(const struct chunk *chunk)
{
    if (chunk->stored > FORMAT_STORED_MOST || chunk->raw > FORMAT_STORED_MOST)
        return "a chunk longer than any";
    if (chunk->tag == FORMAT_BLOCK && (!chunk->count || chunk->count > FORMAT_BLOCK_EVENTS))
        return "a block with an impossible number of events";
    return NULL;
}

static struct chunk chunks_head(const uint8_t *head)
{
    return (struct chunk){bytes_get32(head), bytes_get32(head + 4), bytes_get32(head + 8),
                          bytes_get32(head + 12), bytes_get64(head + 16)};
}

static void chunks_count_texts(struct chunk_texts *texts, const struct chunk *chunk)
{
    texts->count += chunk->count < chunk->raw ? chunk->count : chunk->raw;
    texts->bytes += chunk->raw;
}

struct chunk_needs chunks_needs(const struct chunks *chunks, uint64_t offset)
{
    struct chunk_needs needs = {0};
    uint8_t head[FORMAT_CHUNK_BYTES];
    while (pread(chunks->fd, head, sizeof head, (off_t)offset) == sizeof head) {
        struct chunk chunk = chunks_head(head);
        if (chunks_flaw(&chunk))
            break;
        needs.stored = chunk.stored > needs.stored ? chunk.stored : needs.stored;
        needs.raw = chunk.raw > needs.raw ? chunk.raw : needs.raw;
        if (chunk.tag == FORMAT_LABEL || chunk.tag == FORMAT_SITE)
            chunks_count_texts(chunk.tag == FORMAT_LABEL ? &needs.labels : &needs.sites, &chunk);
        if (chunk.tag == FORMAT_TOUCHED && !needs.touched)
            needs.touched = offset;
        offset += sizeof head + chunk.stored;
    }
    return needs;
}

/* Reads a chunk's head and body into `stored` and checks its sum. */
int chunks_next(struct chunks *chunks, struct chunk *chunk, struct err *err)
{
    uint8_t head[FORMAT_CHUNK_BYTES];
    chunks->chunk_at = chunks->offset;
    int failed = chunks_exactly(chunks, head, sizeof head, err);
    if (failed)
        return failed;
    *chunk = chunks_head(head);
    const char *flaw = chunks_flaw(chunk);
    if (flaw)
        return chunks_damaged(chunks, flaw, err);
    if (array_reserve(&chunks->stored, chunk->stored))
        return chunks_no_memory(chunks, err);
    failed = chunks_exactly(chunks, chunks->stored.at, chunk->stored, err);
    if (failed)
        return failed;
    if (checksum64(chunks->stored.at, chunk->stored, checksum64(head, 16, 0)) != chunk->sum)
        return chunks_damaged(chunks, "a wrong checksum", err);
    return 0;
}

/* Unpacks `stored` bytes into the `raw` that they must give. */
bool chunks_unpack(struct chunks *chunks, void *to, size_t raw, const void *from, size_t stored)
{
    size_t got = ZSTD_decompressDCtx(chunks->zstd, to, raw, from, stored);
    return !ZSTD_isError(got) && got == raw;
}

/* A chunk that is one frame, unpacked into `raw`. */
int chunks_unpack_whole(struct chunks *chunks, const struct chunk *chunk, struct err *err)
{
    if (array_reserve(&chunks->raw, chunk->raw))
        return chunks_no_memory(chunks, err);
    if (!chunks_unpack(chunks, chunks->raw.at, chunk->raw, chunks->stored.at, chunk->stored))
        return chunks_damaged(chunks, "a chunk that cannot be unpacked", err);
    return 0;
}
