/* The bytes of a foreign recording, unpacked on the way: plain, or in zip (its first file), gzip,
 * zstd, xz or bzip2. */
#ifndef WORKLOADS_SOURCE_H
#define WORKLOADS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "workloads/import/scan.h"

struct source;

enum {
    SOURCE_PEEK = 64 << 10,
    SOURCE_LINE = 256 << 10,     /* the longest line; of a longer one, this much is all there is */
    SOURCE_SLACK = DIGITS_SLACK, /* bytes that can be read behind any text handed out */
};

/* "-" is standard input. The sentence names a file that is missing, empty, or a folder. */
int source_open(struct source **out, const char *path, struct err *err);
void source_close(struct source *source);

/* What comes next, without reading it. Up to SOURCE_PEEK bytes, borrowed until the next call. */
const char *source_start(struct source *source, size_t *length);

/* The next line without its end, borrowed until the next call; false at the end. */
bool source_line(struct source *source, struct scan *line);

/* The number of the line read last, from 1. */
uint64_t source_line_number(const struct source *source);

/* Whether the line read last had no line end: it may be cut. */
bool source_line_is_open(const struct source *source);

/* Exactly `length` (<= SOURCE_LINE) bytes, borrowed until the next call, or fewer at the end. */
const uint8_t *source_bytes(struct source *source, size_t length, size_t *got);

/* Whether the archive holds files behind the one that was read. Known at the end. */
bool source_has_more(const struct source *source);

/* Why the end came too early (a damaged archive, a read error), or NULL. */
const char *source_flaw(const struct source *source);

#endif
