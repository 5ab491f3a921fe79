/* Bytes of a foreign recording through libarchive. */
#include "workloads/import/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workloads/import/unpack.h"

enum { SOURCE_ROOM = 1 << 20 };

struct source {
    struct unpack unpack;
    struct archive *archive; /* NULL: not begun */
    int fd;
    const void *block; /* borrowed from the archive */
    size_t block_left;
    bool drained; /* its file has no more */
    bool more;    /* another file follows */
    bool open;    /* the line read last had no end */
    uint64_t line;
    size_t at, end; /* unread bytes of `bytes` */
    char flaw[200]; /* "" while all is well */
    char long_line[SOURCE_LINE];
    char bytes[SOURCE_ROOM];
};

/* Folders are passed over. */
static int source_next_file(struct source *source)
{
    struct archive_entry *entry;
    int got;
    while ((got = source->unpack.read_next_header(source->archive, &entry)) == ARCHIVE_OK ||
           got == ARCHIVE_WARN)
        if (source->unpack.entry_filetype(entry) != AE_IFDIR)
            return ARCHIVE_OK;
    return got;
}

/* The next block of the archive: by blocks, damage costs only what comes after it. */
static bool source_block(struct source *source)
{
    la_int64_t offset;
    int got = source->unpack.read_data_block(source->archive, &source->block, &source->block_left,
                                             &offset);
    if (got == ARCHIVE_OK || got == ARCHIVE_WARN)
        return true;
    source->drained = true;
    source->block_left = 0;
    source->more = got == ARCHIVE_EOF && source_next_file(source) == ARCHIVE_OK;
    const char *why = got == ARCHIVE_EOF ? "" : source->unpack.error_string(source->archive);
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
        if (!source->block_left)
            continue; /* an empty block has no address either */
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

/* Editors put a byte order mark before text. */
static void source_pass_mark(struct source *source)
{
    if (source->end >= 3 && memcmp(source->bytes, "\xef\xbb\xbf", 3) == 0)
        source->at = 3;
}

static int source_open_archive(struct source *source, const char *path, struct err *err)
{
    struct unpack *unpack = &source->unpack;
    if (unpack_load(unpack, err))
        return -ELIBACC;
    struct archive *archive = source->archive = unpack->read_new();
    if (!archive)
        return source_no_memory(path, err);
    unpack->read_support_filter_gzip(archive);
    unpack->read_support_filter_zstd(archive);
    unpack->read_support_filter_xz(archive);
    unpack->read_support_filter_bzip2(archive);
    unpack->read_support_format_zip(archive);
    unpack->read_support_format_raw(archive);
    unpack->read_support_format_empty(archive);
    if (unpack->read_open_fd(archive, source->fd, SOURCE_PEEK) != ARCHIVE_OK)
        return err_set(err, EINVAL, "cannot read %s: %s", path, unpack->error_string(archive));
    int got = source_next_file(source);
    if (got == ARCHIVE_EOF)
        return err_set(err, EINVAL, "%s is empty: there is nothing to import", path);
    if (got != ARCHIVE_OK)
        return err_set(err, EINVAL, "cannot unpack %s: %s", path, unpack->error_string(archive));
    source_fill(source);
    if (source->end == 0)
        return err_set(err, EINVAL, "%s %s", path,
                       source->flaw[0] ? "is damaged from the start" : "holds an empty file");
    source_pass_mark(source);
    return 0;
}

int source_open(struct source **out, const char *path, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    struct source *source = malloc(sizeof *source);
    if (!source)
        return source_no_memory(path, err);
    memset(source, 0, offsetof(struct source, long_line));
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
        source->unpack.read_free(source->archive);
    if (source->fd > STDIN_FILENO)
        close(source->fd);
    free(source);
}

const char *source_start(const struct source *source, size_t *length)
{
    size_t left = source->end - source->at;
    *length = left < SOURCE_PEEK ? left : SOURCE_PEEK;
    return source->bytes + source->at;
}

static char *source_line_end(struct source *source)
{
    char *end = memchr(source->bytes + source->at, '\n', source->end - source->at);
    if (end || source->drained)
        return end;
    source_fill(source);
    return memchr(source->bytes + source->at, '\n', source->end - source->at);
}

/* Passes over what is left of a line that is too long; what it would be taken for is not there. */
static void source_pass_line(struct source *source)
{
    const char *end;
    while (!(end = source_line_end(source)) && source->end > source->at)
        source->at = source->end;
    if (end)
        source->at = (size_t)(end - source->bytes) + 1;
}

bool source_line(struct source *source, const char **line, size_t *length)
{
    const char *end = source_line_end(source);
    size_t left = source->end - source->at;
    if (left == 0)
        return false;
    *line = source->bytes + source->at;
    *length = end ? (size_t)(end - *line) : left;
    source->open = !end && *length <= SOURCE_LINE;
    source->line++;
    source->at += *length + (end != NULL);
    if (*length > SOURCE_LINE) {
        memcpy(source->long_line, *line, SOURCE_LINE);
        *line = source->long_line;
        *length = SOURCE_LINE;
        if (!end)
            source_pass_line(source);
    }
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

bool source_has_more(const struct source *source)
{
    return source->more;
}

const char *source_flaw(const struct source *source)
{
    return source->flaw[0] ? source->flaw : NULL;
}
