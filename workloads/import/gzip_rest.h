/* What libarchive leaves of a gzip file that is cut or damaged: it gives out whole blocks of 64
 * KiB, and nothing of the last. */
#ifndef WORKLOADS_GZIP_REST_H
#define WORKLOADS_GZIP_REST_H

#include <stddef.h>
#include <stdint.h>

enum { GZIP_REST = 64 << 10 };

/* What can be unpacked behind the first `passed` bytes, up to GZIP_REST bytes into `rest`: how
 * many; none where the file is no plain one or zlib is not there. Moves the file's offset. */
size_t gzip_rest(int fd, uint64_t passed, void *rest);

#endif
