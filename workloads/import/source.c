/* Bytes of a foreign recording through libarchive. */
#include "workloads/import/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOURCE_ROOM = 1 << 20 };

struct source {
    struct archive *archive;
    int fd;
    const void *block; /* borrowed from the archive */
    size_t block_left;
    bool drained; /* the archive has no more */
    bool open;    /* the line read last had no end */
    uint64_t line;
    size_t at, end; /* unread bytes of `bytes` */
    char flaw[200]; /* "" while all is well */
    char bytes[SOURCE_ROOM];
};

/* The next block of the archive: by blocks, damage costs only what comes after it. */
static bool source_block(struct source *source)
{
    la_int64_t offset;
    int got =
        archive_read_data_block(source->archive, &source->block, &source->block_left, &offset);
    if (got == ARCHIVE_OK || got == ARCHIVE_WARN)
        return true;
    source->drained = true;
    source->block_left = 0;
    const char *why = got == ARCHIVE_EOF ? "" : archive_error_string(source->archive);
    strncpy(source->flaw, why ? why : "unreadable", sizeof source->flaw - 1);
    return false;
}

/* Moves the unread bytes to the front and fills up behind them. */
static void source_fill(struct source *source)
{
    memmove(source->bytes, source->bytes + source->at, source->end - source->at);
    source->end -= source->at;
    source->at = 0;
    while (!source->drained && source->end < SOURCE_ROOM) {
        if (!source->block_left && !source_block(source))
            return;
        size_t room = SOURCE_ROOM - source->end;
        size_t part = source->block_left < room ? source->block_left : room;
        memcpy(source->bytes + source->end, source->block, part);
        source->block = (const char *)source->block + part;
        source->block_left -= part;
        source->end += part;
    }
}

static int source_no_memory(const char *path, struct err *err)
{
    return err_set(err, ENOMEM, "no memory left to read %s", path);
}

static int source_open_archive(struct source *source, const char *path, struct err *err)
{
    struct archive *archive = source->archive = archive_read_new();
    struct archive_entry *entry;
    if (!archive)
        return source_no_memory(path, err);
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_format_zip(archive);
    archive_read_support_format_raw(archive);
    archive_read_support_format_empty(archive);
    if (archive_read_open_fd(archive, source->fd, SOURCE_PEEK) != ARCHIVE_OK)
        return err_set(err, EINVAL, "cannot read %s: %s", path, archive_error_string(archive));
    int got = archive_read_next_header(archive, &entry);
    if (got == ARCHIVE_EOF)
        return err_set(err, EINVAL, "%s is empty: there is nothing to import", path);
    if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
        return err_set(err, EINVAL, "cannot unpack %s: %s", path, archive_error_string(archive));
    source_fill(source);
    if (source->end == 0)
        return err_set(err, EINVAL, "%s %s", path,
                       source->flaw[0] ? "is damaged from the start" : "holds an empty file");
    return 0;
}

int source_open(struct source **out, const char *path, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    struct source *source = malloc(sizeof *source);
    if (!source)
        return source_no_memory(path, err);
    memset(source, 0, offsetof(struct source, bytes));
    source->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int failed = source->fd < 0 ? err_set(err, errno, "cannot open %s: %s", path, strerror(errno))
                                : source_open_archive(source, path, err);
    if (failed)
        source_close(source);
    else
        *out = source;
    return failed;
}

void source_close(struct source *source)
{
    if (source->archive)
        archive_read_free(source->archive);
    if (source->fd > STDIN_FILENO)
        close(source->fd);
    free(source);
}

const char *source_start(const struct source *source, size_t *length)
{
    *length = source->end < SOURCE_PEEK ? source->end : SOURCE_PEEK;
    return source->bytes;
}

static const char *source_line_end(struct source *source)
{
    return memchr(source->bytes + source->at, '\n', source->end - source->at);
}

bool source_line(struct source *source, const char **line, size_t *length)
{
    const char *end = source_line_end(source);
    if (!end && !source->drained) {
        source_fill(source);
        end = source_line_end(source);
    }
    size_t left = source->end - source->at;
    if (left == 0)
        return false;
    *line = source->bytes + source->at;
    size_t whole = end ? (size_t)(end - *line) : left;
    bool piece = whole > SOURCE_LINE;
    *length = piece ? SOURCE_LINE : whole;
    source->open = !end && !piece;
    source->at += *length + (end && !piece);
    source->line += !piece;
    if (*length && (*line)[*length - 1] == '\r')
        --*length;
    return true;
}

uint64_t source_line_number(const struct source *source)
{
    return source->line;
}

bool source_line_is_open(const struct source *source)
{
    return source->open;
}

const uint8_t *source_bytes(struct source *source, size_t length, size_t *got)
{
    if (source->end - source->at < length)
        source_fill(source);
    size_t left = source->end - source->at;
    *got = left < length ? left : length;
    const uint8_t *bytes = (const uint8_t *)source->bytes + source->at;
    source->at += *got;
    return bytes;
}

const char *source_flaw(const struct source *source)
{
    return source->flaw[0] ? source->flaw : NULL;
}
