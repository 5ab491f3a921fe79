/* The checksum of a gzip file. */
#include "workloads/import/gzip_sum.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads/bytes.h"

enum { GZIP_TRAILER = 8, GZIP_LEAST = 18, GZIP_READ = 64 << 10 };

static const uint8_t gzip_magic[] = {0x1f, 0x8b, 8};

bool gzip_begins(int fd)
{
    uint8_t start[sizeof gzip_magic];
    return pread(fd, start, sizeof start, 0) == sizeof start &&
           memcmp(start, gzip_magic, sizeof start) == 0;
}

static off_t gzip_size(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
}

void gzip_sum_begin(struct gzip_sum *gzip, int fd)
{
    void *library =
        gzip_size(fd) >= GZIP_LEAST ? dlopen(GZIP_LIBRARY, RTLD_NOW | RTLD_LOCAL) : NULL;
    void *found = library ? dlsym(library, "crc32") : NULL;
    gzip->fd = fd;
    memcpy(&gzip->crc32, &found, sizeof found);
}

void gzip_sum_add(struct gzip_sum *gzip, const void *bytes, size_t length)
{
    if (!gzip->crc32)
        return;
    gzip->sum = gzip->crc32(gzip->sum, bytes, (unsigned)length);
    gzip->length += length;
}

/* Whether another file seems to begin after the first byte. */
static bool gzip_has_several(int fd)
{
    uint8_t bytes[GZIP_READ];
    off_t at = 1;
    ssize_t got;
    while ((got = pread(fd, bytes, sizeof bytes, at)) >= (ssize_t)sizeof gzip_magic) {
        if (memmem(bytes, (size_t)got, gzip_magic, sizeof gzip_magic))
            return true;
        at += got - (ssize_t)sizeof gzip_magic + 1;
    }
    return false;
}

const char *gzip_sum_flaw(const struct gzip_sum *gzip)
{
    uint8_t end[GZIP_TRAILER];
    if (!gzip->crc32 ||
        pread(gzip->fd, end, sizeof end, gzip_size(gzip->fd) - GZIP_TRAILER) != GZIP_TRAILER)
        return NULL;
    if (bytes_get32(end) == gzip->sum && bytes_get32(end + 4) == (uint32_t)gzip->length)
        return NULL;
    return gzip_has_several(gzip->fd) ? NULL : "its checksum is not that of its contents";
}
