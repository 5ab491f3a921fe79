/* Bytes of a foreign recording through libarchive. */
#include "workloads/import/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads/import/gzip_rest.h"
#include "workloads/import/gzip_sum.h"
#include "workloads/import/unpack.h"

enum {
    SOURCE_BLOCK = 32 << 10
}; /* of the archive as it is read: the first cache holds most of it */

/* What is unread lies in one or two pieces: from `at` to `end`, and behind that the rest of the
 * archive's block, unless the first piece is of it. Only what spans two blocks is copied. */
struct source {
    struct unpack unpack;
    struct archive *archive; /* NULL: not begun */
    int fd;
    struct gzip_sum gzip;
    const char *at, *end;
    const char *block; /* borrowed from the archive */
    size_t block_left;
    bool drained; /* its file has no more blocks */
    bool more;    /* another file follows */
    bool open;    /* the line read last had no end */
    uint64_t line;
    char flaw[200]; /* "" while all is well */
    char joined[2 * SOURCE_LINE + SOURCE_SLACK];
    char rest[GZIP_REST];
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

/* The first that is wrong counts. */
static void source_note(struct source *source, const char *why)
{
    if (!source->flaw[0])
        strncpy(source->flaw, why ? why : "unreadable", sizeof source->flaw - 1);
}

/* The archive says no more: what is wrong with it counts, and the last block is what can still be
 * had of a gzip file; without a format, nothing was read yet. False: nothing. */
static bool source_rescue(struct source *source)
{
    bool may_be_gzip = gzip_sum_checks(&source->gzip) || !source->unpack.format(source->archive);
    source_note(source, source->unpack.error_string(source->archive));
    source->drained = true;
    source->block = source->rest;
    source->block_left = may_be_gzip ? gzip_rest(source->fd, source->gzip.length, source->rest) : 0;
    return source->block_left;
}

/* The archive's next block: by blocks, damage costs only what comes after it. */
static bool source_read_block(struct source *source)
{
    const void *block;
    la_int64_t offset;
    int got = source->unpack.read_data_block(source->archive, &block, &source->block_left, &offset);
    source->block = block;
    if (got == ARCHIVE_WARN)
        source_note(source, source->unpack.error_string(source->archive));
    if (got == ARCHIVE_OK || got == ARCHIVE_WARN) {
        gzip_sum_add(&source->gzip, block, source->block_left);
        return true;
    }
    if (got != ARCHIVE_EOF)
        return source_rescue(source);
    source->drained = true;
    source->block_left = 0;
    if (gzip_sum_flaw(&source->gzip))
        source_note(source, gzip_sum_flaw(&source->gzip));
    source->more = source_next_file(source) == ARCHIVE_OK;
    return false;
}

/* Whether there is anything behind `end`. */
static bool source_has_block(struct source *source)
{
    while (!source->block_left && !source->drained)
        source_read_block(source);
    return source->block_left;
}

/* The first piece is used up: goes on in the block, so far as a line may reach. False where there
 * is too little of it: what is behind it could not be read. */
static bool source_advance(struct source *source)
{
    if (!source_has_block(source) || source->block_left <= SOURCE_SLACK)
        return false;
    size_t length = source->block_left - SOURCE_SLACK;
    length = length < SOURCE_LINE ? length : SOURCE_LINE;
    source->at = source->block;
    source->end = source->block += length;
    source->block_left -= length;
    return true;
}

/* Moves the first piece to where more can be joined to it. */
static void source_begin_joining(struct source *source)
{
    size_t left = (size_t)(source->end - source->at);
    if (left)
        memmove(source->joined, source->at, left);
    source->at = source->joined;
    source->end = source->joined + left;
}

/* Joins `length` bytes of the block to the first piece. */
static void source_join(struct source *source, size_t length)
{
    size_t used = (size_t)(source->end - source->joined);
    memcpy(source->joined + used, source->block, length);
    source->end += length;
    memset(source->joined + used + length, 0, SOURCE_SLACK);
    source->block += length;
    source->block_left -= length;
}

/* Makes the first piece `length` <= SOURCE_LINE bytes long, where there are as many. */
static void source_gather(struct source *source, size_t length)
{
    if ((size_t)(source->end - source->at) >= length)
        return;
    if (source->at == source->end && source_advance(source) &&
        (size_t)(source->end - source->at) >= length)
        return;
    source_begin_joining(source);
    size_t missing;
    while ((missing = length - (size_t)(source->end - source->at)) && source_has_block(source))
        source_join(source, source->block_left < missing ? source->block_left : missing);
}

static int source_no_memory(const char *path, struct err *err)
{
    return err_set(err, ENOMEM, "no memory left to read %s", path);
}

/* Editors put a byte order mark before text. */
static void source_pass_mark(struct source *source)
{
    if (source->end - source->at >= 3 && memcmp(source->at, "\xef\xbb\xbf", 3) == 0)
        source->at += 3;
}

static bool source_is_gzip(const struct source *source)
{
    const struct unpack *unpack = &source->unpack;
    return unpack->filter_code(source->archive, 0) == ARCHIVE_FILTER_GZIP &&
           unpack->filter_code(source->archive, 1) == ARCHIVE_FILTER_NONE &&
           unpack->format(source->archive) == ARCHIVE_FORMAT_RAW;
}

static bool source_is_folder(const struct source *source)
{
    struct stat status;
    return fstat(source->fd, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Its files' lines would be taken for one recording's, were libarchive not to unpack it; were it
 * to, a recording that begins with zeros would be taken for an empty one. */
static bool source_is_tar(const struct source *source)
{
    enum { MAGIC = 257 };
    return source->end - source->at > MAGIC + 5 && memcmp(source->at + MAGIC, "ustar", 5) == 0;
}

static int source_open_archive(struct source *source, const char *path, struct err *err)
{
    struct unpack *unpack = &source->unpack;
    if (source_is_folder(source))
        return err_set(err, EISDIR, "%s is a folder; name a recording in it", path);
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
    int got = unpack->read_open_fd(archive, source->fd, SOURCE_BLOCK);
    if (got == ARCHIVE_OK)
        got = source_next_file(source);
    if (got == ARCHIVE_EOF)
        return err_set(err, EINVAL, "%s is empty: there is nothing to import", path);
    if (got != ARCHIVE_OK && !source_rescue(source))
        return err_set(err, EINVAL, "cannot unpack %s: %s", path, unpack->error_string(archive));
    if (source_is_gzip(source))
        gzip_sum_begin(&source->gzip, source->fd);
    source_gather(source, SOURCE_PEEK);
    if (source->end == source->at)
        return source->flaw[0]
                   ? err_set(err, EINVAL, "%s cannot be unpacked: %s", path, source->flaw)
                   : err_set(err, EINVAL, "%s holds an empty file", path);
    if (source_is_tar(source))
        return err_set(err, EINVAL, "%s is a tar archive: unpack it and name a recording in it",
                       path);
    source_pass_mark(source);
    return 0;
}

int source_open(struct source **out, const char *path, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    struct source *source = malloc(sizeof *source);
    if (!source)
        return source_no_memory(path, err);
    memset(source, 0, offsetof(struct source, joined));
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

const char *source_start(struct source *source, size_t *length)
{
    source_gather(source, SOURCE_PEEK);
    size_t left = (size_t)(source->end - source->at);
    *length = left < SOURCE_PEEK ? left : SOURCE_PEEK;
    return source->at;
}

/* Joins blocks up to the end of a line that the first piece has none of, or up to what is too much.
 * That end, or NULL. */
static const char *source_join_line(struct source *source)
{
    const char *found = NULL;
    source_begin_joining(source);
    while (!found && source->end - source->at <= SOURCE_LINE && source_has_block(source)) {
        found = memchr(source->block, '\n', source->block_left);
        size_t length = found ? (size_t)(found - source->block) + 1 : source->block_left;
        size_t room = SOURCE_LINE + 1 - (size_t)(source->end - source->at);
        if (length > room)
            found = NULL;
        source_join(source, length < room ? length : room);
    }
    return found ? source->end - 1 : NULL;
}

/* Passes over what is left of a line that is too long; what it would be taken for is not there. */
static void source_pass_line(struct source *source)
{
    const char *end = NULL;
    while (!end && source_has_block(source)) {
        end = memchr(source->block, '\n', source->block_left);
        size_t length = end ? (size_t)(end - source->block) + 1 : source->block_left;
        source->block += length;
        source->block_left -= length;
    }
}

/* The line does not end in the first piece, or is too long. */
static bool source_far_line(struct source *source, struct scan *line)
{
    if (source->at == source->end)
        source_advance(source);
    const char *end = memchr(source->at, '\n', (size_t)(source->end - source->at));
    if (!end)
        end = source_join_line(source);
    size_t left = (size_t)(source->end - source->at);
    size_t length = end ? (size_t)(end - source->at) : left;
    if (!left)
        return false;
    *line = scan_over(source->at, length < SOURCE_LINE ? length : SOURCE_LINE);
    source->open = !end && length <= SOURCE_LINE;
    source->at += length + (end != NULL);
    if (!end && length > SOURCE_LINE)
        source_pass_line(source);
    return true;
}

bool source_line(struct source *source, struct scan *line)
{
    const char *at = source->at, *end = memchr(at, '\n', (size_t)(source->end - at));
    if (end && end - at <= SOURCE_LINE) {
        *line = (struct scan){at, end};
        source->at = end + 1;
    } else if (!source_far_line(source, line))
        return false;
    source->line++;
    line->end -= line->end > line->at && line->end[-1] == '\r';
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
    source_gather(source, length);
    size_t left = (size_t)(source->end - source->at);
    const uint8_t *bytes = (const uint8_t *)source->at;
    *got = left < length ? left : length;
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
