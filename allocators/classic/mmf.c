/* The classic memory-mapped file interface. */
#include "allocators/api/mmf.h"

#include <errno.h>
#include <stdbool.h>

#include "allocators/classic/export.h"
#include "allocators/file_limit.h"

/* An empty file gets its size from whoever comes first; that another does it too does no harm. The
 * blocks are asked for where the file system can tell, since a full disk is a SIGBUS later. */
static int mmf_set_size(int file, size_t sz)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return -1;
    if (!S_ISREG(status.st_mode) || (status.st_size != 0 && (uint64_t)status.st_size != sz)) {
        errno = EINVAL;
        return -1;
    }
    if (status.st_size != 0 || fallocate(file, 0, 0, (off_t)sz) == 0)
        return 0;
    return errno == EOPNOTSUPP ? ftruncate(file, (off_t)sz) : -1;
}

static int mmf_open(const char *name, bool *created)
{
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK;
    int file = open(name, flags | O_EXCL, S_IRUSR | S_IWUSR);
    *created = file >= 0;
    return file < 0 && errno == EEXIST ? open(name, flags, S_IRUSR | S_IWUSR) : file;
}

EXPORT void *mmf_create_or_open(const char *name, size_t sz)
{
    bool created;
    if (!name || sz == 0 || sz > SIZE_MAX / 2) {
        errno = EINVAL;
        return NULL;
    }
    if (!file_limit_allows(sz)) {
        errno = EFBIG;
        return NULL;
    }
    int file = mmf_open(name, &created);
    if (file < 0)
        return NULL;
    void *mapping = MAP_FAILED;
    if (mmf_set_size(file, sz) == 0)
        mapping = mmap(NULL, sz, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    int error = errno;
    close(file);
    if (mapping == MAP_FAILED && created)
        unlink(name);
    errno = error;
    return mapping == MAP_FAILED ? NULL : mapping;
}

/* Whether one shared mapping of the process is exactly [ptr, ptr + sz), page-rounded. A foreign
 * page would be unmapped as readily as a file's. */
static bool mmf_line_is(const char *line, uintptr_t start, uintptr_t end)
{
    unsigned long from, to;
    char shared;
    return sscanf(line, "%lx-%lx %*c%*c%*c%c", &from, &to, &shared) == 3 && from == start &&
           to == end && shared == 's';
}

static bool mmf_is_mapping(void *ptr, size_t sz)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t start = (uintptr_t)ptr, end = (start + sz + page - 1) / page * page;
    char line[64]; /* the beginning of each is enough */
    size_t length = 0;
    bool found = false;
    char part[1024];
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (maps < 0)
        return true;
    for (ssize_t got; !found && (got = read(maps, part, sizeof part)) > 0;)
        for (ssize_t i = 0; i < got && !found; i++) {
            if (part[i] != '\n') {
                line[length] = part[i];
                length += length < sizeof line - 1;
                continue;
            }
            line[length] = '\0';
            length = 0;
            found = mmf_line_is(line, start, end);
        }
    close(maps);
    return found;
}

EXPORT void mmf_close(void *ptr, size_t sz)
{
    if (!ptr || sz == 0 || sz > SIZE_MAX / 2 || !mmf_is_mapping(ptr, sz) || munmap(ptr, sz) != 0)
        classic_complain("mmf: mmf_close(%p, %zu): no file is mapped there", ptr, sz);
}
