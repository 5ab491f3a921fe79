/* The end of a damaged gzip file, by zlib's own reader, which stops where no more can be had. */
#include "workloads/import/gzip_rest.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "workloads/import/gzip_sum.h"

/* Before damage zlib drops what its buffer holds, at most two of it: hence a small one. */
enum { GZIP_BUFFER = 1 << 10, GZIP_STEP = 4096 };

struct gzip_reader {
    void *(*open)(int fd, const char *mode);
    int (*buffer)(void *file, unsigned bytes);
    int (*read)(void *file, void *bytes, unsigned length);
    int (*close)(void *file);
};

static bool gzip_look_up(void *library, const char *name, void *slot)
{
    void *found = dlsym(library, name);
    memcpy(slot, &found, sizeof found);
    return found;
}

static bool gzip_load(struct gzip_reader *reader)
{
    void *library = dlopen(GZIP_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    return library && gzip_look_up(library, "gzdopen", &reader->open) &&
           gzip_look_up(library, "gzbuffer", &reader->buffer) &&
           gzip_look_up(library, "gzread", &reader->read) &&
           gzip_look_up(library, "gzclose", &reader->close);
}

static size_t gzip_read(const struct gzip_reader *reader, void *file, uint64_t passed, char *rest)
{
    char step[GZIP_STEP];
    size_t length = 0;
    for (int got; passed; passed -= (uint64_t)got)
        if ((got = reader->read(file, step,
                                passed < sizeof step ? (unsigned)passed : sizeof step)) <= 0)
            return 0;
    while (length < GZIP_REST && reader->read(file, rest + length, 1) == 1)
        length++;
    return length;
}

size_t gzip_rest(int fd, uint64_t passed, void *rest)
{
    struct gzip_reader reader;
    bool is_gzip = gzip_begins(fd) && lseek(fd, 0, SEEK_SET) == 0;
    int own = is_gzip && gzip_load(&reader) ? dup(fd) : -1;
    void *file = own >= 0 ? reader.open(own, "rb") : NULL;
    size_t length = 0;
    if (file) {
        reader.buffer(file, GZIP_BUFFER);
        length = gzip_read(&reader, file, passed, rest);
        reader.close(file);
    } else if (own >= 0)
        close(own);
    return length;
}
