/* Finds the spool, and tells processes that are recorded from those that are not. */
#include "workloads/record/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "workloads/record/await.h"
#include "workloads/record/carry.h"
#include "workloads/record/confine.h"
#include "workloads/record/foreign.h"
#include "workloads/record/receive.h"

enum { PROCESS_BYTES = 4 << 20 };
enum { PROCESS_STREAMS = (PROCESS_BYTES - sizeof(struct process)) / sizeof(struct stream) };

struct spool_control *record_spool;
uint32_t record_depth;

static struct process *process;
static bool process_without_spool; /* there is none: nothing to be tried again */
static bool process_was_begun;     /* by this process, or one that it was forked from */
static bool process_own_malloc;    /* what the program calls is not the recorder's */

_Static_assert(offsetof(struct spool_control, magic) == 0 &&
                   offsetof(struct spool_control, mapping_bytes) == 8,
               "what is read of it comes first");

static struct spool_control *process_map_spool(int file)
{
    /* The rest of the control block is larger than many a stack. */
    struct {
        uint64_t magic, mapping_bytes;
    } head;
    if (pread(file, &head, sizeof head, 0) < 0 || head.magic != SPOOL_MAGIC)
        return NULL;
    void *spool =
        mmap(NULL, head.mapping_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    if (spool == MAP_FAILED)
        return NULL;
    madvise(spool, head.mapping_bytes, MADV_DONTDUMP);
    return spool;
}

/* NULL for what is none, as another process's file that has the same name here. */
static struct spool_control *process_take_spool(int file)
{
    struct spool_control *spool = file < 0 ? NULL : process_map_spool(file);
    if (file >= 0)
        close(file);
    return spool;
}

static struct process *process_map(void)
{
    void *memory = mmap(NULL, PROCESS_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED || madvise(memory, PROCESS_BYTES, MADV_WIPEONFORK) ? NULL : memory;
}

/* The file is not kept open: programs close or count descriptors. */
static bool process_open_spool(void)
{
    const char *where = foreign() ? NULL : getenv(SPOOL_ENVIRONMENT);
    char path[SPOOL_PATH];
    if (!where)
        return false;
    spool_file_path(path, where);
    struct spool_control *spool = process_take_spool(open(path, O_RDWR | O_CLOEXEC));
    if (!spool)
        spool = process_take_spool(receive_spool(where, NULL));
    process = spool ? process_map() : NULL;
    if (process) {
        record_spool = spool;
        carry_open(where);
        if (atomic_load(&spool->confined))
            atomic_store(&confine_here, true);
    }
    return process != NULL;
}

/* Numbers of processes mean something else to the recorder. */
static bool process_is_elsewhere(const struct spool_control *spool)
{
    struct stat here;
    return spool->pid_namespace && stat(SPOOL_PID_NAMESPACE, &here) == 0 &&
           here.st_ino != spool->pid_namespace;
}

/* This process as the recorder numbers it, 0 where that cannot be found out. */
static pid_t process_number(const struct process *here)
{
    pid_t pid = 0;
    if (!here->elsewhere)
        return here->pid;
    int file = receive_spool(carry_where(), &pid);
    if (file < 0)
        return 0;
    close(file);
    return pid;
}

static void process_leave_alone(void)
{
    record_depth = 0;
    atomic_fetch_add(&record_spool->left_alone, 1);
    atomic_store(&process->state, PROCESS_LEFT_ALONE);
}

static void process_begin(void)
{
    struct spool_control *spool = record_spool;
    if (confined() && process_was_begun) {
        process_leave_alone();
        return;
    }
    process_was_begun = true;
    process->pid = getpid();
    process->elsewhere = process_is_elsewhere(spool);
    bool is_root = process->pid == spool->root_pid && !process->elsewhere;
    pid_t pid = is_root || spool->follow ? process_number(process) : 0;
    uint32_t image = SPOOL_IMAGES;
    if (pid)
        image = atomic_fetch_add(&spool->images, 1);
    if (image >= SPOOL_IMAGES) {
        process_leave_alone();
        await_over(process->pid);
        return;
    }
    struct spool_image *entry = &spool->image[image];
    strncpy(entry->program, program_invocation_short_name, sizeof entry->program - 1);
    atomic_store(&entry->own_malloc, process_own_malloc);
    atomic_store(&entry->pid, pid);
    await_over(process->pid);
    process->image = image;
    large_open();
    if (spool->depth && stacks_begin())
        record_depth = spool->depth < STACKS_DEPTH_MOST ? spool->depth : STACKS_DEPTH_MOST;
    atomic_store(&process->state, PROCESS_RECORDED);
}

struct process *process_here(void)
{
    if (process_without_spool)
        return NULL;
    if (!process && !process_open_spool()) {
        process_without_spool = environ != NULL;
        return NULL;
    }
    if (atomic_load(&process->state) == PROCESS_UNBORN) {
        record_stream = NULL;
        process_begin();
    }
    return process;
}

void process_has_own_malloc(void)
{
    struct spool_image *image = process_image();
    process_own_malloc = true;
    if (image)
        atomic_store(&image->own_malloc, 1);
}

bool process_is_left_alone(void)
{
    return process_without_spool ||
           (process &&
            atomic_load_explicit(&process->state, memory_order_relaxed) == PROCESS_LEFT_ALONE);
}

pid_t process_pid(void)
{
    return confined() ? process->pid : getpid();
}

struct spool_image *process_image(void)
{
    if (!process || atomic_load(&process->state) != PROCESS_RECORDED)
        return NULL;
    return process->pid == process_pid() ? &record_spool->image[process->image] : NULL;
}

/* Memory of the process's own in place of the spool's. */
static void process_own(void *memory, uint64_t bytes)
{
    mmap(memory, bytes, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

/* The spool at another place; whoever still has the old one writes into memory of his own. */
static void process_move_spool(struct spool_control *spool, uint64_t written)
{
    uint64_t bytes = spool->mapping_bytes;
    void *moved = mremap(spool, 0, bytes, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        return;
    madvise(moved, bytes, MADV_DONTDUMP);
    record_spool = moved;
    process_own(spool, written);
    munmap((char *)spool + written, bytes - written);
}

void process_forked(void)
{
    struct spool_control *spool = record_spool;
    if (!process || atomic_load(&process->state) != PROCESS_UNBORN || confined())
        return;
    uint64_t written = SPOOL_FIRST + (uint64_t)atomic_load(&spool->allocated) * SPOOL_CHUNK_BYTES;
    if (spool->follow)
        process_move_spool(spool, written);
    else
        process_own((char *)spool + SPOOL_FIRST, written - SPOOL_FIRST);
}

/* Yielding alone leaves a holder of a lower real-time priority without a processor. By the system
 * call, as the C library's function may end a thread that is to be cancelled. */
static void process_lock(void)
{
    enum { YIELDS = 16, PAUSE_NS = 50000 };
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    for (int tries = 0; atomic_exchange(&process->locked, 1); tries++)
        if (confined())
            confine_pause();
        else if (tries < YIELDS)
            sched_yield();
        else
            syscall(SYS_nanosleep, &pause, NULL);
}

static void process_unlock(void)
{
    atomic_store(&process->locked, 0);
}

/* Its number may have come to the calling thread in the meantime. */
static bool process_thread_is_gone(pid_t thread)
{
    return thread == gettid() || (syscall(SYS_tgkill, getpid(), thread, 0) && errno == ESRCH);
}

static void process_collect(struct process *here)
{
    if (confined())
        return;
    for (struct stream **link = &here->ending, *stream; (stream = *link);) {
        if (!process_thread_is_gone(stream->thread)) {
            link = &stream->next;
            continue;
        }
        *link = stream->next;
        stream->next = here->free;
        here->free = stream;
    }
}

static void process_begin_stream(const struct process *here, struct stream *stream)
{
    *stream = (struct stream){.image = here->image,
                              .number = atomic_fetch_add(&record_spool->streams, 1),
                              .stamped = record_spool->stamp_always,
                              .counted = RECORD_UNKNOWN};
}

static void process_renew_stream(struct stream *stream)
{
    stream->renewed = true;
    stream->counted = RECORD_UNKNOWN;
    stacks_renew(stream->stacks);
}

struct stream *process_stream(struct process *here)
{
    process_lock();
    process_collect(here);
    struct stream *stream = here->free;
    bool is_new = !stream && here->used < PROCESS_STREAMS;
    if (stream)
        here->free = stream->next;
    else if (is_new)
        stream = &here->streams[here->used++];
    process_unlock();
    if (is_new)
        process_begin_stream(here, stream);
    else if (stream)
        process_renew_stream(stream);
    if (stream)
        stream->thread = confined() ? 0 : gettid();
    return stream;
}

void process_stream_ends(struct process *here, struct stream *stream)
{
    process_lock();
    stream->next = here->ending;
    here->ending = stream;
    process_unlock();
}
