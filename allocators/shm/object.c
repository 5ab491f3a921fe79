/* Making, mapping, growing and removing the object that a shared heap lies in. */
#include "allocators/shm/object.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { OBJECT_PAGE = 4096, OBJECT_SIZE_MIN = 128 };
#define OBJECT_CAPACITY ((uint64_t)64 << 30) /* to grow to, unless the heap begins larger */

static size_t object_bytes(const struct shm_heap *heap)
{
    struct shm_heap plan;
    return shm_heap_plan(&plan, heap->space.capacity * SPACE_UNIT);
}

/* Pages are taken as they are written: only asking beforehand tells a caller, instead of a SIGBUS,
 * that there are none. */
static bool object_has_room(uint64_t bytes)
{
    struct statvfs system;
    if (statvfs("/dev/shm", &system) != 0 || system.f_blocks == 0)
        return true;
    return bytes / system.f_frsize <= system.f_bavail;
}

/* ---- creating -------------------------------------------------------------------------------- */

/* A core dump of any program that has the heap mapped would hold its holes otherwise. */
static void object_spare_dumps(void *mapping, size_t bytes)
{
    (void)madvise(mapping, bytes, MADV_DONTDUMP);
}

static int object_map(int file, size_t bytes, struct shm_heap **out)
{
    void *mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    if (mapping == MAP_FAILED)
        return -errno;
    object_spare_dumps(mapping, bytes);
    *out = mapping;
    return 0;
}

/* The most bytes that a file may have for us; a longer one would be answered by a signal. */
static uint64_t object_file_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

static int object_try(int file, uint64_t capacity, struct shm_heap **out)
{
    struct shm_heap plan;
    size_t bytes = shm_heap_plan(&plan, capacity);
    if (bytes > object_file_limit())
        return -EFBIG;
    if (ftruncate(file, (off_t)bytes) != 0)
        return -errno;
    return object_map(file, bytes, out);
}

/* Maps the empty object with the largest capacity that this process may have. */
static int object_size_and_map(int file, uint64_t size, uint64_t *capacity, struct shm_heap **out)
{
    *capacity = size > OBJECT_CAPACITY ? size : OBJECT_CAPACITY;
    for (;;) {
        int error = object_try(file, *capacity, out);
        if ((error != -ENOMEM && error != -EFBIG) || *capacity == size)
            return error;
        *capacity = *capacity / 2 > size ? *capacity / 2 : size;
    }
}

static int object_fill(int file, size_t size, struct shm_heap **out)
{
    struct shm_heap *heap;
    uint64_t capacity;
    if (!object_has_room(size))
        return -ENOSPC;
    int error = object_size_and_map(file, size, &capacity, &heap);
    if (error)
        return error;
    error = shm_heap_init(heap, capacity, size);
    if (error)
        munmap(heap, object_bytes(heap));
    else
        *out = heap;
    return error;
}

int shm_object_create(const char *name, size_t size, struct shm_heap **out)
{
    if (!name || size == 0 || size > SPACE_CAPACITY_MAX * SPACE_UNIT)
        return -EINVAL;
    size = size < OBJECT_SIZE_MIN ? OBJECT_SIZE_MIN : size & ~(size_t)(SPACE_UNIT - 1);
    int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
    if (file < 0)
        return -errno;
    int error = object_fill(file, size, out);
    close(file);
    if (error)
        shm_unlink(name);
    return error;
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* The head is read, not mapped: the file may be shorter than one. */
static int object_check(int file, size_t *bytes)
{
    struct stat status;
    struct shm_heap head;
    if (fstat(file, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || pread(file, &head, sizeof head, 0) != sizeof head ||
        !shm_heap_is_valid(&head))
        return -EINVAL;
    *bytes = object_bytes(&head);
    return (uint64_t)status.st_size == *bytes ? 0 : -EINVAL;
}

int shm_object_connect(const char *name, struct shm_heap **out)
{
    size_t bytes;
    int file = name ? shm_open(name, O_RDWR, 0) : -1;
    if (file < 0)
        return name ? -errno : -EINVAL;
    int error = object_check(file, &bytes);
    if (!error)
        error = object_map(file, bytes, out);
    close(file);
    return error;
}

void shm_object_unmap(struct shm_heap *heap)
{
    munmap(heap, object_bytes(heap));
}

int shm_object_unlink(const char *name, const struct shm_heap *heap)
{
    struct shm_heap head;
    int file = name ? shm_open(name, O_RDONLY, 0) : -1;
    if (file < 0)
        return name ? -errno : -EINVAL;
    bool ours = pread(file, &head, sizeof head, 0) == sizeof head && head.id == heap->id;
    close(file);
    if (!ours)
        return -EINVAL;
    return shm_unlink(name) == 0 ? 0 : -errno;
}

bool shm_object_is_mapped(const struct shm_heap *heap, uint64_t id)
{
    void *page = (void *)((uintptr_t)heap & ~(uintptr_t)(OBJECT_PAGE - 1));
    return page && page == (void *)heap && msync(page, OBJECT_PAGE, MS_ASYNC) == 0 &&
           heap->id == id;
}

/* ---- growing --------------------------------------------------------------------------------- */

static bool object_extend(struct shm_heap *heap, uint64_t units)
{
    struct space *space = &heap->space;
    if (units > space->capacity || !object_has_room((units - space->units) * SPACE_UNIT))
        return false;
    space_extend(space, units);
    return true;
}

bool shm_object_grow(struct shm_heap *heap, uint64_t units)
{
    const uint64_t page = OBJECT_PAGE / SPACE_UNIT;
    struct space *space = &heap->space;
    if (units > space->capacity - space->top)
        return false;
    uint64_t least = space->top + units;
    uint64_t ample = (least + space->units / 8 + page - 1) / page * page;
    return object_extend(heap, ample) || object_extend(heap, least);
}
