/* Reads a trace: chunk by chunk, checksummed before a byte is believed, decoded in stretches small
 * enough to stay in the cache until they are used. */
#include "workloads/reader.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/pages.h"
#include "workloads/bytes.h"
#include "workloads/checksum.h"
#include "workloads/chunks.h"
#include "workloads/codec.h"
#include "workloads/columns.h"
#include "workloads/format.h"
#include "workloads/names.h"
#include "workloads/origin.h"
#include "workloads/touched.h"

struct trace_reader {
    struct chunks chunks;
    struct trace_origin origin;
    struct array text; /* of the origin */
    uint64_t start;    /* offset of the first chunk */
    uint32_t left;     /* events of the block not yet decoded */
    bool ended;
    bool has_summary;
    struct trace_summary summary;
    uint64_t footer_sum;  /* over all blocks, from the footer */
    uint64_t sum;         /* over the blocks read */
    uint64_t touched_sum; /* over the chunks of touched pages passed */
    struct codec codec;
    struct codec_in in;
    bool narrow; /* no times and sites */
    struct names labels, sites;
    struct columns columns;
    struct touched_reader touched;
};

static int reader_names(struct trace_reader *reader, const struct chunk *chunk, struct names *names,
                        struct err *err)
{
    int failed = chunks_unpack_whole(&reader->chunks, chunk, err);
    if (failed)
        return failed;
    const char *at = reader->chunks.raw.at, *end = at + chunk->raw;
    for (uint32_t i = 0; i < chunk->count; i++) {
        size_t length = strnlen(at, (size_t)(end - at));
        if (at + length == end)
            return chunks_damaged(&reader->chunks, "a text without an end", err);
        if (names_add(names, at, length))
            return chunks_no_memory(&reader->chunks, err);
        at += length + 1;
    }
    return 0;
}

static int reader_footer(struct trace_reader *reader, const struct chunk *chunk, struct err *err)
{
    enum { FIELDS = sizeof(struct trace_summary) / 8 };
    int failed = chunks_unpack_whole(&reader->chunks, chunk, err);
    if (failed)
        return failed;
    const uint8_t *raw = reader->chunks.raw.at;
    if (chunk->raw < 8 || chunk->raw / 8 - 1 < chunk->count)
        return chunks_damaged(&reader->chunks, "a footer that is too short", err);
    uint64_t fields[FIELDS] = {0};
    for (size_t i = 0; i < FIELDS && i < chunk->count; i++)
        fields[i] = bytes_get64(raw + 8 + 8 * i);
    reader->footer_sum = bytes_get64(raw);
    memcpy(&reader->summary, fields, sizeof fields);
    reader->has_summary = true;
    return 0;
}

/* The footer of a seekable, whole file, before the first block is read. Where there is none, that
 * is for trace_reader_next to find out, after the blocks that are whole. */
static void reader_footer_first(struct trace_reader *reader)
{
    uint8_t trailer[FORMAT_TRAILER_BYTES];
    struct chunk chunk;
    uint64_t offset = reader->chunks.offset;
    if (lseek(reader->chunks.fd, -(off_t)sizeof trailer, SEEK_END) < 0)
        return;
    if (chunks_read(&reader->chunks, trailer, sizeof trailer) == sizeof trailer &&
        memcmp(trailer + 8, FORMAT_END, 8) == 0 &&
        lseek(reader->chunks.fd, (off_t)bytes_get64(trailer), SEEK_SET) >= 0 &&
        chunks_next(&reader->chunks, &chunk, NULL) == 0 && chunk.tag == FORMAT_FOOTER)
        reader_footer(reader, &chunk, NULL);
    lseek(reader->chunks.fd, (off_t)offset, SEEK_SET);
    reader->chunks.offset = offset;
}

/* A damaged file may claim more than any holds. */
static int reader_settle_names(struct names *names, const struct chunk_texts *texts)
{
    if (texts->count == 0 || texts->bytes > FORMAT_STORED_MOST)
        return 0;
    return names_reserve(names, texts->count, texts->bytes);
}

/* Takes ahead what decoding will need, so that a measuring process does not grow while it reads. */
static int reader_settle(struct trace_reader *reader, struct err *err)
{
    const struct trace_summary *summary = trace_reader_summary(reader);
    if (!summary || summary->objects > summary->events ||
        summary->objects >= NUMBERING_MOST - CODEC_STRETCH)
        return 0;
    struct chunk_needs needs = chunks_needs(&reader->chunks, reader->start);
    if (codec_settle(&reader->codec, (uint32_t)summary->objects, summary->threads) ||
        array_reserve(&reader->chunks.raw, needs.raw + (size_t)CODEC_SLACK) ||
        array_reserve(&reader->chunks.stored, needs.stored) ||
        reader_settle_names(&reader->labels, &needs.labels) ||
        reader_settle_names(&reader->sites, &needs.sites))
        return chunks_no_memory(&reader->chunks, err);
    if (needs.touched && !reader->touched.open)
        return touched_open(&reader->touched, &reader->chunks, &needs, CODEC_STRETCH, err);
    return touched_rewind(&reader->touched, err);
}

static int reader_open_file(struct trace_reader *reader, const char *path, struct err *err)
{
    const struct trace_origin *origin = &reader->origin;
    int failed = chunks_open(&reader->chunks, path, err);
    if (!failed)
        failed = origin_read(&reader->origin, &reader->text, &reader->chunks, err);
    if (failed)
        return failed;
    reader->start = reader->chunks.offset;
    if (codec_init(&reader->codec, origin->columns) ||
        columns_map(&reader->columns, origin->columns))
        return chunks_no_memory(&reader->chunks, err);
    reader_footer_first(reader);
    return reader_settle(reader, err);
}

int trace_reader_open(struct trace_reader **out, const char *path, struct err *err)
{
    struct trace_reader *reader = pages_map(sizeof *reader);
    if (!reader)
        return err_set(err, ENOMEM, "no memory left to read %s", path);
    int failed = reader_open_file(reader, path, err);
    if (failed)
        trace_reader_close(reader);
    else
        *out = reader;
    return failed;
}

void trace_reader_close(struct trace_reader *reader)
{
    touched_close(&reader->touched);
    chunks_close(&reader->chunks);
    codec_release(&reader->codec);
    names_release(&reader->labels);
    names_release(&reader->sites);
    array_release(&reader->text);
    columns_unmap(&reader->columns);
    pages_unmap(reader, sizeof *reader);
}

static bool reader_skips(const struct trace_reader *reader, int stream)
{
    return reader->narrow && stream >= CODEC_TIME_LOW && stream <= CODEC_SITE_HIGH;
}

/* Unpacks the streams one after another as the block's directory says. */
static const char *reader_streams(struct trace_reader *reader, const struct chunk *chunk)
{
    enum { DIRECTORY = FORMAT_DIRECTORY_BYTES * CODEC_STREAMS };
    const uint8_t *entry = reader->chunks.stored.at, *from = entry + DIRECTORY;
    uint8_t *to = reader->chunks.raw.at;
    size_t stored_left = chunk->stored - DIRECTORY, raw_left = chunk->raw;
    for (int i = 0; i < CODEC_STREAMS; i++, entry += FORMAT_DIRECTORY_BYTES) {
        size_t raw = bytes_get32(entry), stored = bytes_get32(entry + 4);
        if (raw > raw_left || stored > stored_left)
            return "a stream longer than its block";
        raw_left -= raw;
        if (reader_skips(reader, i))
            raw = 0;
        if (raw && !chunks_unpack(&reader->chunks, to, raw, from, stored))
            return "a stream that cannot be unpacked";
        reader->in.at[i] = to;
        reader->in.end[i] = to += raw;
        from += stored;
        stored_left -= stored;
    }
    return NULL;
}

static void reader_sum(uint64_t *sum, const struct chunk *chunk)
{
    *sum = checksum64(&(uint64_t){htole64(chunk->sum)}, 8, *sum);
}

static int reader_begin_block(struct trace_reader *reader, const struct chunk *chunk,
                              struct err *err)
{
    if (array_reserve(&reader->chunks.raw, chunk->raw + (size_t)CODEC_SLACK))
        return chunks_no_memory(&reader->chunks, err);
    const char *flaw = chunk->stored < FORMAT_DIRECTORY_BYTES * CODEC_STREAMS
                           ? "a block without streams"
                           : reader_streams(reader, chunk);
    if (flaw)
        return chunks_damaged(&reader->chunks, flaw, err);
    reader->left = chunk->count;
    reader_sum(&reader->sum, chunk);
    return 0;
}

/* A footer that does not agree with the blocks before it means that whole blocks are gone. */
static int reader_end(struct trace_reader *reader, const struct chunk *chunk, struct err *err)
{
    int failed = reader_footer(reader, chunk, err);
    if (failed)
        return failed;
    if (reader->summary.events != reader->chunks.events || reader->footer_sum != reader->sum)
        return chunks_damaged(&reader->chunks, "blocks are missing before the footer", err);
    if (reader->summary.touched_sum && reader->summary.touched_sum != reader->touched_sum)
        return chunks_damaged(&reader->chunks, "touched pages are missing before the footer", err);
    const struct trace_touched *beyond;
    size_t count;
    failed = touched_take(&reader->touched, UINT64_MAX, &beyond, &count, err);
    if (!failed && count)
        failed = chunks_damaged(&reader->touched.chunks, "touched pages of no event", err);
    reader->ended = !failed;
    return failed;
}

/* As in PNG: what begins with a small letter may be left out by who does not know it. */
static int reader_unknown(struct trace_reader *reader, const struct chunk *chunk, struct err *err)
{
    if (chunk->tag & FORMAT_OPTIONAL)
        return 0;
    return chunks_damaged(&reader->chunks, "a chunk of an unknown kind", err);
}

static int reader_take_chunk(struct trace_reader *reader, struct err *err)
{
    struct chunk chunk;
    int failed = chunks_next(&reader->chunks, &chunk, err);
    if (failed)
        return failed;
    switch (chunk.tag) {
    case FORMAT_BLOCK:
        return reader_begin_block(reader, &chunk, err);
    case FORMAT_LABEL:
        return reader_names(reader, &chunk, &reader->labels, err);
    case FORMAT_SITE:
        return reader_names(reader, &chunk, &reader->sites, err);
    case FORMAT_FOOTER:
        return reader_end(reader, &chunk, err);
    case FORMAT_TOUCHED: /* read beside the blocks */
        reader_sum(&reader->touched_sum, &chunk);
        return 0;
    default:
        return reader_unknown(reader, &chunk, err);
    }
}

static bool reader_can_touch(const struct trace_block *block, uint64_t event)
{
    size_t i = (size_t)(event - block->first);
    return event >= block->first && block->kind[i] <= TRACE_ALIGNED &&
           !(block->flags[i] & TRACE_FAILED);
}

static int reader_touched(struct trace_reader *reader, struct trace_block *block, struct err *err)
{
    int failed = touched_take(&reader->touched, block->first + block->count, &block->touched,
                              &block->touched_count, err);
    for (size_t i = 0; !failed && i < block->touched_count; i++)
        if (!reader_can_touch(block, block->touched[i].event))
            failed = chunks_damaged(&reader->touched.chunks, "touched pages of no block", err);
    return failed;
}

void trace_reader_settle_columns(struct trace_reader *reader)
{
    columns_settle(&reader->columns);
}

void trace_reader_narrow(struct trace_reader *reader)
{
    reader->narrow = true;
    columns_narrow(&reader->columns);
}

/* Reads up to the next block that has events left. 1, 0 at the end, or -errno. */
static int reader_find_events(struct trace_reader *reader, struct err *err)
{
    while (!reader->left && !reader->ended) {
        int failed = reader_take_chunk(reader, err);
        if (failed)
            return failed;
    }
    return !reader->ended;
}

static int reader_undecoded(const struct trace_reader *reader, int failed, struct err *err)
{
    if (failed == -ENOMEM)
        return chunks_no_memory(&reader->chunks, err);
    return chunks_damaged(&reader->chunks,
                          failed == -ERANGE ? "an object beyond those that the footer tells of"
                                            : "events that no program can do",
                          err);
}

static void reader_passed(struct trace_reader *reader, size_t count)
{
    reader->left -= (uint32_t)count;
    reader->chunks.events += count;
}

static int reader_decode(struct trace_reader *reader, size_t count, struct trace_block *block,
                         struct err *err)
{
    const struct codec_columns *columns = &reader->columns.at;
    int failed = codec_get(&reader->codec, &reader->in, count, columns);
    if (failed)
        return reader_undecoded(reader, failed, err);
    *block = (struct trace_block){count,
                                  reader->chunks.events,
                                  columns->kind,
                                  columns->flags,
                                  columns->align_log2,
                                  columns->thread,
                                  columns->object,
                                  columns->size,
                                  columns->time_ns,
                                  columns->site,
                                  NULL,
                                  0};
    failed = reader_touched(reader, block, err);
    if (failed)
        return failed;
    reader_passed(reader, count);
    return 1;
}

int trace_reader_next(struct trace_reader *reader, struct trace_block *block, struct err *err)
{
    int status = reader_find_events(reader, err);
    if (status <= 0)
        return status;
    size_t count = reader->left < CODEC_STRETCH ? reader->left : CODEC_STRETCH;
    return reader_decode(reader, count, block, err);
}

/* What is told of pages is passed over. */
static int reader_pass_touched(struct trace_reader *reader, struct err *err)
{
    const struct trace_touched *entries;
    size_t count;
    return touched_take(&reader->touched, reader->chunks.events, &entries, &count, err);
}

int trace_reader_next_words(struct trace_reader *reader, struct trace_words *words,
                            struct trace_block *block, struct err *err)
{
    *block = (struct trace_block){.count = 0};
    int status = reader_find_events(reader, err);
    if (status <= 0)
        return status;
    size_t count = reader->left < CODEC_STRETCH ? reader->left : CODEC_STRETCH, done;
    count = count < words->room / TRACE_WORDS_MOST ? count : words->room / TRACE_WORDS_MOST;
    uint64_t *begin = words->at;
    status = codec_get_words(&reader->codec, &reader->in, count, words, &done);
    if (status)
        return reader_undecoded(reader, status, err);
    words->room -= (size_t)(words->at - begin);
    reader_passed(reader, done);
    status = reader_pass_touched(reader, err);
    if (status < 0)
        return status;
    return done < count ? reader_decode(reader, 1, block, err) : 1;
}

int trace_reader_rewind(struct trace_reader *reader, struct err *err)
{
    if (lseek(reader->chunks.fd, (off_t)reader->start, SEEK_SET) < 0)
        return err_set(err, errno, "cannot read %s a second time: %s", reader->chunks.path,
                       strerror(errno));
    codec_release(&reader->codec);
    if (codec_init(&reader->codec, reader->origin.columns))
        return chunks_no_memory(&reader->chunks, err);
    names_release(&reader->labels);
    names_release(&reader->sites);
    reader->chunks.offset = reader->start;
    reader->chunks.events = reader->sum = reader->touched_sum = reader->left = 0;
    reader->ended = false;
    return reader_settle(reader, err);
}

const char *trace_reader_name(const struct trace_reader *reader)
{
    return reader->chunks.path;
}

const struct trace_origin *trace_reader_origin(const struct trace_reader *reader)
{
    return &reader->origin;
}

const struct trace_summary *trace_reader_summary(const struct trace_reader *reader)
{
    return reader->has_summary ? &reader->summary : NULL;
}

const char *trace_reader_label(const struct trace_reader *reader, uint32_t number)
{
    return names_at(&reader->labels, number);
}

const char *trace_reader_site(const struct trace_reader *reader, uint32_t number)
{
    return number ? names_at(&reader->sites, number - 1) : NULL;
}

uint64_t trace_reader_checksum(const struct trace_reader *reader)
{
    if (reader->ended)
        return reader->sum;
    return reader->has_summary ? reader->footer_sum : 0;
}

uint64_t trace_reader_bytes(const struct trace_reader *reader)
{
    struct stat status;
    if (fstat(reader->chunks.fd, &status) == 0 && S_ISREG(status.st_mode))
        return (uint64_t)status.st_size;
    return reader->chunks.offset;
}
