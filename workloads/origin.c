/* Where a trace comes from. */
#include "workloads/origin.h"

#include <errno.h>
#include <string.h>

#include "workloads/bytes.h"
#include "workloads/checksum.h"
#include "workloads/format.h"

/* Whether it is gzip's or zstd's: a trace is packed already, and nothing unpacks it twice. */
static const char *origin_packer(const uint8_t *head, ssize_t got)
{
    static const uint8_t gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    if (got >= 2 && memcmp(head, gzip, sizeof gzip) == 0)
        return "gzip";
    return got >= 4 && memcmp(head, zstd, sizeof zstd) == 0 ? "zstd" : NULL;
}

/* What the first `got` bytes say that this is, or -errno of reading them. */
static int origin_check(const uint8_t head[FORMAT_HEADER_BYTES], ssize_t got, struct chunks *chunks,
                        struct err *err)
{
    if (got < 0)
        return err_set(err, (int)-got, "cannot read %s: %s", chunks->path, strerror((int)-got));
    const char *packer = origin_packer(head, got);
    if (packer)
        return err_set(err, EINVAL,
                       "%s is packed by %s: unpack a trace first (%s -d), and bring a recording of "
                       "another tool in by 'bench import'",
                       chunks->path, packer, packer);
    if (got < FORMAT_MAGIC_BYTES || memcmp(head, FORMAT_MAGIC, FORMAT_MAGIC_BYTES) != 0)
        return err_set(err, EINVAL,
                       "%s is no heapbench trace; recordings of other tools are brought in by "
                       "'bench import'",
                       chunks->path);
    if (got < FORMAT_HEADER_BYTES)
        return chunks_damaged(chunks, "the header is cut", err);
    if (bytes_get32(head + 8) != FORMAT_VERSION)
        return err_set(err, ENOTSUP,
                       "%s has trace format version %u, this heapbench reads %d: use the one that "
                       "wrote it, or a newer one",
                       chunks->path, bytes_get32(head + 8), FORMAT_VERSION);
    return 0;
}

static int origin_read_head(struct chunks *chunks, struct array *text, struct err *err)
{
    uint8_t head[FORMAT_HEADER_BYTES];
    int failed = origin_check(head, chunks_read(chunks, head, sizeof head), chunks, err);
    if (failed)
        return failed;
    uint32_t bytes = bytes_get32(head + 24);
    if (bytes > FORMAT_TEXT_MOST)
        return chunks_damaged(chunks, "a header longer than any", err);
    if (array_reserve(text, sizeof head + bytes + 8))
        return chunks_no_memory(chunks, err);
    uint8_t *all = text->at;
    memcpy(all, head, sizeof head);
    failed = chunks_exactly(chunks, all + sizeof head, bytes + 8, err);
    if (failed)
        return failed;
    if (checksum64(all, sizeof head + bytes, 0) != bytes_get64(all + sizeof head + bytes))
        return chunks_damaged(chunks, "a wrong checksum of the header", err);
    return 0;
}

int origin_read(struct trace_origin *origin, struct array *text, struct chunks *chunks,
                struct err *err)
{
    int failed = origin_read_head(chunks, text, err);
    if (failed)
        return failed;
    const uint8_t *head = text->at;
    const char *at = (const char *)head + FORMAT_HEADER_BYTES, *end = at + bytes_get32(head + 24);
    const char **strings[FORMAT_STRINGS] = {&origin->program, &origin->arguments, &origin->host,
                                            &origin->tool,    &origin->source,    &origin->losses};
    for (int i = 0; i < FORMAT_STRINGS; i++) {
        size_t length = strnlen(at, (size_t)(end - at));
        if (at + length == end)
            return chunks_damaged(chunks, "a header with too few texts", err);
        *strings[i] = at;
        at += length + 1;
    }
    origin->columns = bytes_get32(head + 12);
    origin->recorded_at = bytes_get64(head + 16);
    return 0;
}
