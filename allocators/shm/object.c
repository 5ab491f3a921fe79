/* Making, mapping, growing and removing the object that a shared heap lies in. */
#include "allocators/shm/object.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "allocators/file_limit.h"
#include "allocators/shm/backing.h"
#include "allocators/shm/file.h"

enum {
    OBJECT_PAGE = 4096,
    OBJECT_SIZE_MIN = 128,
    OBJECT_REACH = 64 << 10,
    OBJECT_SPACE_FIRST = 64 << 10,
    OBJECT_STEP_MOST = 16 << 20,
    OBJECT_LOOKS = 5
};

/* ---- lengths --------------------------------------------------------------------------------- */

static size_t object_mapped_bytes(const struct shm_heap *heap)
{
    struct shm_heap plan;
    return shm_heap_plan(&plan, heap->space.capacity * SPACE_UNIT);
}

/* The object's length for a space of `size` bytes. */
static uint64_t object_length(const struct shm_heap *plan, uint64_t size)
{
    return (plan->data_at + size + OBJECT_PAGE - 1) / OBJECT_PAGE * OBJECT_PAGE;
}

/* Bytes of pages that a space of `size` bytes takes when all of it was written. */
static uint64_t object_pages(const struct shm_heap *plan, uint64_t size)
{
    uint64_t bytes = 0;
    size_t at;
    for (unsigned i = 0; i < SHM_HEAP_STRETCHES; i++)
        bytes += shm_heap_stretch(plan, i, size, &at);
    return bytes;
}

/* Taking pages one by one until there are none left could take them from everyone else for a while:
 * what is far too much is refused by asking. */
static bool object_has_room(uint64_t bytes)
{
    struct statvfs system;
    if (statvfs("/dev/shm", &system) != 0 || system.f_blocks == 0)
        return true;
    return bytes / system.f_frsize <= system.f_bavail;
}

/* ---- the mapping ----------------------------------------------------------------------------- */

static bool object_set_reach(struct shm_object *object, uint64_t reach)
{
    struct shm_heap *heap = object->heap;
    uint64_t capacity = heap->space.capacity * SPACE_UNIT;
    reach = reach < capacity ? reach : capacity;
    if (mprotect(heap, object_length(heap, reach), PROT_READ | PROT_WRITE) != 0)
        return false;
    __atomic_store_n(&object->reach, reach, __ATOMIC_RELAXED);
    return true;
}

/* Threads may do it at once: each makes accessible what the heap has now. */
void shm_object_extend_reach(struct shm_object *object)
{
    uint64_t size = shm_heap_size(object->heap);
    if (!object_set_reach(object, size + OBJECT_REACH))
        object_set_reach(object, size);
}

/* Maps `bytes` of the file behind a page of our own; nothing but that page is accessible yet. */
static int object_map(int file, size_t bytes, struct shm_object **out)
{
    char *page = mmap(NULL, OBJECT_PAGE + bytes, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (page == MAP_FAILED)
        return -errno;
    if (mprotect(page, OBJECT_PAGE, PROT_READ | PROT_WRITE) != 0 ||
        mmap(page + OBJECT_PAGE, bytes, PROT_NONE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, file,
             0) == MAP_FAILED) {
        int error = errno;
        munmap(page, OBJECT_PAGE + bytes);
        return -error;
    }
    struct shm_object *object = (struct shm_object *)(void *)page;
    object->heap = (struct shm_heap *)(void *)(page + OBJECT_PAGE);
    object->file = file;
    *out = object;
    return 0;
}

static void object_unmap(struct shm_object *object, size_t bytes)
{
    munmap(object, OBJECT_PAGE + bytes);
}

/* ---- creating -------------------------------------------------------------------------------- */

static int object_try(int file, uint64_t size, uint64_t capacity, struct shm_object **out)
{
    struct shm_heap plan;
    size_t bytes = shm_heap_plan(&plan, capacity);
    uint64_t length = object_length(&plan, size);
    if (!object_has_room(object_pages(&plan, size)))
        return -ENOSPC;
    if (!file_limit_allows(length))
        return -EFBIG;
    if (ftruncate(file, (off_t)length) != 0)
        return -errno;
    return object_map(file, bytes, out);
}

/* Maps the empty object with the largest capacity that this process may have. */
static int object_try_down(int file, uint64_t size, uint64_t *capacity, struct shm_object **out)
{
    for (;;) {
        int error = object_try(file, size, *capacity, out);
        /* Under valgrind, too much address space is an invalid argument. */
        bool too_much = error == -ENOMEM || error == -EFBIG || error == -EINVAL;
        if (!too_much || *capacity == size)
            return error;
        *capacity = *capacity / 2 > size ? *capacity / 2 : size;
    }
}

/* The space begins small, however long the object is: what is behind it is taken as it grows. What
 * is accessible is made so as in every other process, once the head is there to tell. */
static int object_fill(int file, uint64_t size, uint64_t capacity, struct shm_object **out)
{
    struct shm_object *object;
    struct shm_heap plan;
    int error = object_try_down(file, size, &capacity, &object);
    if (error)
        return error;
    size_t bytes = shm_heap_plan(&plan, capacity);
    size = size < OBJECT_SPACE_FIRST ? size : OBJECT_SPACE_FIRST;
    if (!shm_backing_take(file, &plan, 0, size) ||
        mprotect(object->heap, object_length(&plan, size), PROT_READ | PROT_WRITE) != 0)
        error = -errno;
    else
        error = shm_heap_init(object->heap, capacity, size);
    if (error) {
        object_unmap(object, bytes);
        return error;
    }
    object->id = object->heap->id;
    shm_object_extend_reach(object);
    *out = object;
    return 0;
}

int shm_object_create(const char *name, size_t size, uint64_t capacity, struct shm_object **out)
{
    const uint64_t most = SPACE_CAPACITY_MAX * SPACE_UNIT;
    if (!name || size == 0 || size > most)
        return -EINVAL;
    size = size < OBJECT_SIZE_MIN ? OBJECT_SIZE_MIN : size & ~(size_t)(SPACE_UNIT - 1);
    capacity = capacity < size ? size : capacity > most ? most : capacity;
    bool named;
    struct shm_object *object;
    int file = shm_file_make(name, &named);
    if (file < 0)
        return file;
    int error = object_fill(file, size, capacity, &object);
    if (error)
        close(file);
    else if (!named && (error = shm_file_name(file, name)) != 0)
        shm_object_disconnect(object);
    else
        *out = object;
    if (error && named)
        shm_unlink(name);
    return error;
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* The head is read, not mapped: the file may be shorter than one. What is read of a heap in use may
 * be of before one of its changes and of after it, so it is refused only when it stays wrong. */
static bool object_read_head(int file, struct shm_heap *head)
{
    for (unsigned look = 0; look < OBJECT_LOOKS; look++)
        if (pread(file, head, sizeof *head, 0) == sizeof *head && shm_heap_is_valid(head))
            return true;
    return false;
}

/* The length is asked for after the head: a heap that grows is lengthened before it says so. */
static int object_check(int file, struct shm_heap *head)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || !object_read_head(file, head) || fstat(file, &status) != 0)
        return -EINVAL;
    uint64_t length = (uint64_t)status.st_size;
    return length >= object_length(head, shm_heap_size(head)) && length <= object_mapped_bytes(head)
               ? 0
               : -EINVAL;
}

static int object_join(int file, struct shm_object **out)
{
    struct shm_heap head;
    struct shm_object *object;
    int error = object_check(file, &head);
    if (!error)
        error = object_map(file, object_mapped_bytes(&head), &object);
    if (error)
        return error;
    if (mprotect(object->heap, object_length(&head, shm_heap_size(&head)),
                 PROT_READ | PROT_WRITE) != 0) {
        error = -errno;
        object_unmap(object, object_mapped_bytes(&head));
        return error;
    }
    object->id = head.id;
    shm_object_extend_reach(object);
    *out = object;
    return 0;
}

int shm_object_connect(const char *name, struct shm_object **out)
{
    int file = name ? shm_open(name, O_RDWR, 0) : -1;
    if (file < 0)
        return name ? -errno : -EINVAL;
    int error = object_join(file, out);
    if (error)
        close(file);
    return error;
}

/* Whether `file` is an object of that heap: a program may have closed ours, and its number be
 * another's. */
static bool object_is_of(int file, uint64_t heap)
{
    uint64_t id;
    return pread(file, &id, sizeof id, offsetof(struct shm_heap, id)) == sizeof id && id == heap;
}

void shm_object_disconnect(struct shm_object *object)
{
    if (object_is_of(object->file, object->id))
        close(object->file);
    object->id = 0;
    object_unmap(object, object_mapped_bytes(object->heap));
}

static bool object_has_name(const struct shm_object *object)
{
    struct stat status;
    return object_is_of(object->file, object->id) && fstat(object->file, &status) == 0 &&
           status.st_nlink > 0;
}

int shm_object_unlink(const char *name, const struct shm_object *object)
{
    if (!name)
        return -EINVAL;
    int file = shm_open(name, O_RDONLY | O_NONBLOCK, 0);
    if (file < 0) {
        int error = errno;
        return object_has_name(object) ? -EINVAL : -error;
    }
    bool ours = object_is_of(file, object->id);
    close(file);
    if (!ours)
        return -EINVAL;
    return shm_unlink(name) == 0 ? 0 : -errno;
}

/* Whether the word at `address`, which may be any, can be read and is `word`: the kernel, told to
 * wake nobody and to move nobody, only compares it. (What is mapped need not be readable.) */
static bool object_word_is(const void *address, uint32_t word)
{
    return syscall(SYS_futex, address, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0, address, word) == 0;
}

bool shm_object_is_mapped(const struct shm_object *object, uint64_t id)
{
    uint32_t first;
    memcpy(&first, &id, sizeof first);
    return object && (uintptr_t)object % OBJECT_PAGE == 0 && object_word_is(&object->id, first) &&
           object->id == id;
}

/* ---- growing --------------------------------------------------------------------------------- */

/* The object is never made shorter: another may have lengthened it and died. */
static bool object_lengthen(const struct shm_object *object, uint64_t length)
{
    struct stat status;
    if (!object_is_of(object->file, object->id) || fstat(object->file, &status) != 0)
        return false;
    return (uint64_t)status.st_size >= length ||
           (file_limit_allows(length) && ftruncate(object->file, (off_t)length) == 0);
}

static bool object_extend(const struct shm_object *object, uint64_t units)
{
    struct shm_heap *heap = object->heap;
    uint64_t size = units * SPACE_UNIT;
    if (units > heap->space.capacity ||
        !object_has_room(object_pages(heap, size) - object_pages(heap, shm_heap_size(heap))) ||
        !object_lengthen(object, object_length(heap, size)) ||
        !shm_backing_take(object->file, heap, shm_heap_size(heap), size))
        return false;
    space_extend(&heap->space, units);
    return true;
}

/* What a space that is to hold `least` units is extended to: not beyond the object's present length
 * as long as that holds them. */
static uint64_t object_ample(const struct shm_object *object, uint64_t least)
{
    const uint64_t page = OBJECT_PAGE / SPACE_UNIT, most = OBJECT_STEP_MOST / SPACE_UNIT;
    const struct shm_heap *heap = object->heap;
    uint64_t step = heap->space.units / 8 < most ? heap->space.units / 8 : most;
    uint64_t ample = (least + step + page - 1) / page * page;
    struct stat status;
    if (fstat(object->file, &status) != 0)
        return ample;
    uint64_t there = ((uint64_t)status.st_size - heap->data_at) / SPACE_UNIT;
    return least <= there && there < ample ? there : ample;
}

bool shm_object_grow(struct shm_object *object, uint64_t units)
{
    const struct space *space = &object->heap->space;
    if (units > space->capacity - space->top)
        return false;
    uint64_t least = space->top + units, ample = object_ample(object, least);
    if (!object_extend(object, ample) && !object_extend(object, least))
        return false;
    shm_object_extend_reach(object);
    return true;
}
