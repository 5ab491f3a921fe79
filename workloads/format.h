/* The trace file on disk, constants and layout; FORMAT.md tells it in words.
 *
 * header, then chunks: names and blocks in the order of events, one footer, then the trailer. */
#ifndef WORKLOADS_FORMAT_H
#define WORKLOADS_FORMAT_H

#include <stdint.h>

/* As PNG's: a first byte that is no text, line ends that a text-mode copy would damage. */
#define FORMAT_MAGIC "\x89HBT\r\n\x1a\n"
#define FORMAT_END "HBTend\r\n"

enum {
    FORMAT_VERSION = 1,
    FORMAT_MAGIC_BYTES = 8,
    /* magic, u32 version, u32 columns, u64 recorded_at, u32 bytes of text, u32 zero, text, u64
     * checksum of all before it */
    FORMAT_HEADER_BYTES = 32,
    FORMAT_STRINGS = 6,             /* of the origin, each ended by a zero byte */
    FORMAT_TEXT_MOST = 1 << 20,     /* bytes of origin text */
    FORMAT_CHUNK_BYTES = 24,        /* u32 tag, stored, raw, count; u64 checksum of both */
    FORMAT_DIRECTORY_BYTES = 8,     /* u32 raw, stored a stream, at the start of a block */
    FORMAT_STORED_MOST = 64 << 20,  /* bytes of a chunk as stored and unpacked */
    FORMAT_BLOCK_EVENTS = 64 << 10, /* in every block but the last */
    FORMAT_TRAILER_BYTES = 16,      /* u64 offset of the footer, FORMAT_END */
    FORMAT_THREADS_MOST = 1 << 20,
    FORMAT_TOUCHED_MOST = 64 << 10, /* entries in a chunk of them */
};

/* Tags read as text in the file. */
#define FORMAT_TAG(a, b, c, d)                                                                     \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define FORMAT_OPTIONAL 0x20 /* a small first letter: a reader that does not know it skips it */
#define FORMAT_BLOCK FORMAT_TAG('B', 'L', 'C', 'K')
#define FORMAT_LABEL FORMAT_TAG('M', 'A', 'R', 'K')   /* texts of phase labels, numbered on */
#define FORMAT_SITE FORMAT_TAG('S', 'I', 'T', 'E')    /* texts of call sites, numbered on from 1 */
#define FORMAT_TOUCHED FORMAT_TAG('t', 'c', 'h', 'd') /* what was touched of large blocks */
#define FORMAT_FOOTER FORMAT_TAG('F', 'O', 'O', 'T')

#endif
