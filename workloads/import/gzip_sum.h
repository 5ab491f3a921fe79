/* Whether what came out of a gzip file is what went in: libarchive passes over the checksum and the
 * length at its end (RFC 1952). */
#ifndef WORKLOADS_GZIP_SUM_H
#define WORKLOADS_GZIP_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* libarchive needs it, so that it is where that is. */
#define GZIP_LIBRARY "libz.so.1"

/* A zeroed struct checks nothing. */
struct gzip_sum {
    int fd; /* borrowed */
    unsigned long (*crc32)(unsigned long sum, const unsigned char *bytes, unsigned length);
    unsigned long sum;
    uint64_t length;
};

/* Whether a plain file begins as those of gzip do. */
bool gzip_begins(int fd);

/* Of a file that is packed by gzip and nothing else. Only of a plain file can the end be known, and
 * only where zlib is there; else nothing is checked.
 */
void gzip_sum_begin(struct gzip_sum *gzip, int fd);

static inline bool gzip_sum_checks(const struct gzip_sum *gzip)
{
    return gzip->crc32;
}

void gzip_sum_add(struct gzip_sum *gzip, const void *bytes, size_t length);

/* At the end: what is wrong, or NULL. A file of several gzip files is not checked. */
const char *gzip_sum_flaw(const struct gzip_sum *gzip);

#endif
