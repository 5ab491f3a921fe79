/* The recorder's end of the spool. */
#include "workloads/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/base/clock.h"

enum {
    SPOOL_STEP_LEAST = 8,
    SPOOL_STEP_MOST = 256,
    SPOOL_KEPT = 256,    /* chunks that are kept and used again and again: a million events */
    SPOOL_HELD = 4,      /* and so many more for each thread, which holds one or two */
    SPOOL_SHARE = 4,     /* of the spare memory: the reciprocal */
    SPOOL_PAGE = 4096,   /* of a chunk, with the link: stays where its memory is given back */
    SPOOL_TOGETHER = 16, /* chunks given back before waiting threads are woken */
    SPOOL_STUCK_NS = 50000000,
};

/* Bytes of the mapping. */
#define SPOOL_MOST ((uint64_t)1 << 30)

/* The program maps all of it at once, so that it need never open the file again: it may have
 * closed all descriptors, changed its root or given up its rights by then. */
static uint64_t spool_mapping(void)
{
    struct rlimit limit;
    uint64_t most = SPOOL_MOST;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur / 4 < most)
        most = limit.rlim_cur / 4;
    uint64_t chunks = most > SPOOL_FIRST ? (most - SPOOL_FIRST) / SPOOL_CHUNK_BYTES : 0;
    return SPOOL_FIRST + chunks * SPOOL_CHUNK_BYTES;
}

static int spool_map(struct spool *spool, uint64_t bytes)
{
    /* The table of images is long and mostly unused: its pages come as they are touched. */
    int failed = posix_fallocate(spool->file, 0, offsetof(struct spool_control, image));
    if (failed)
        return failed;
    if (ftruncate(spool->file, (off_t)SPOOL_FIRST))
        return errno;
    void *mapped =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, spool->file, 0);
    if (mapped == MAP_FAILED)
        return errno;
    spool->control = mapped;
    return 0;
}

static uint64_t spool_pid_namespace(void)
{
    struct stat here;
    return stat(SPOOL_PID_NAMESPACE, &here) == 0 ? here.st_ino : 0;
}

/* The system lets go of it when this thread ends, which no other of the process outlives. */
static void spool_live(struct spool_control *control)
{
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&control->alive, &kind);
    pthread_mutexattr_destroy(&kind);
    pthread_mutex_lock(&control->alive);
}

int spool_create(struct spool *spool, struct err *err)
{
    *spool =
        (struct spool){.file = memfd_create("heapbench-spool", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    uint64_t bytes = spool_mapping();
    int failed = spool->file < 0 ? errno : spool_map(spool, bytes);
    if (failed) {
        spool_destroy(spool);
        return err_set(err, failed, "cannot get %llu bytes of shared memory to record into: %s",
                       (unsigned long long)SPOOL_FIRST, strerror(failed));
    }
    uint64_t secret[2] = {0};
    if (getrandom(secret, sizeof secret, 0) != sizeof secret)
        secret[0] = clock_ns();
    snprintf(spool->path, sizeof spool->path, "/proc/%ld/fd/%d%c%016llx%016llx", (long)getpid(),
             spool->file, SPOOL_SECRET_AT, (unsigned long long)secret[0],
             (unsigned long long)secret[1]);
    spool->control->magic = SPOOL_MAGIC;
    spool->control->mapping_bytes = bytes;
    spool->control->pid_namespace = spool_pid_namespace();
    spool_live(spool->control);
    spool_extend(spool);
    return 0;
}

static void spool_tell(struct spool_control *control)
{
    atomic_fetch_add(&control->returned, 1);
    if (atomic_load(&control->waiting))
        syscall(SYS_futex, &control->returned, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Whether chunks came back lately. A record that is never finished can be in the way. */
static bool spool_is_drained(struct spool *spool)
{
    uint32_t returned = atomic_load(&spool->control->returned);
    uint64_t now = clock_ns();
    if (returned != spool->seen)
        spool->seen_ns = now;
    spool->seen = returned;
    return now - spool->seen_ns < SPOOL_STUCK_NS;
}

static uint32_t spool_kept(const struct spool *spool)
{
    return SPOOL_KEPT + SPOOL_HELD * atomic_load(&spool->control->streams);
}

/* The program runs at its own speed as long as memory lasts. After that, where a record is never
 * finished, there is more room for those of other threads. */
static bool spool_is_enough(struct spool *spool, uint32_t present)
{
    uint64_t bytes = (uint64_t)present * SPOOL_CHUNK_BYTES;
    bool drained = spool_is_drained(spool);
    bool room = spool->spare && bytes < (spool->spare() + bytes) / SPOOL_SHARE;
    return present >= spool_kept(spool) && !room && drained;
}

static off_t spool_offset(uint32_t chunk)
{
    return (off_t)(SPOOL_FIRST + (uint64_t)chunk * SPOOL_CHUNK_BYTES);
}

/* Chunks without memory get some. True where there were some. */
static bool spool_warm(struct spool *spool, uint32_t step)
{
    uint32_t chunk = 0, warmed = 0;
    while (warmed < step && (chunk = spool_pop(spool->control, &spool->cold_list))) {
        if (posix_fallocate(spool->file, spool_offset(chunk - 1), SPOOL_CHUNK_BYTES)) {
            spool_push(spool->control, &spool->cold_list, chunk - 1);
            break;
        }
        atomic_fetch_sub(&spool->control->cold, 1);
        spool_push(spool->control, &spool->control->free_list, chunk - 1);
        warmed++;
    }
    return warmed;
}

static bool spool_grow(struct spool *spool, uint32_t step)
{
    struct spool_control *control = spool->control;
    uint32_t allocated = atomic_load(&control->allocated);
    off_t bytes = (off_t)step * SPOOL_CHUNK_BYTES;
    if (spool_offset(allocated) + bytes > (off_t)control->mapping_bytes ||
        posix_fallocate(spool->file, spool_offset(allocated), bytes))
        return false;
    atomic_store(&control->allocated, allocated + step);
    return true;
}

void spool_extend(struct spool *spool)
{
    struct spool_control *control = spool->control;
    uint32_t present = spool_present(control), step = present / 2;
    step = step < SPOOL_STEP_LEAST ? SPOOL_STEP_LEAST : step;
    step = step > SPOOL_STEP_MOST ? SPOOL_STEP_MOST : step;
    bool needed = atomic_load(&control->held) + step > present;
    bool more = needed && !spool_is_enough(spool, present) &&
                (spool_warm(spool, step) || spool_grow(spool, step));
    atomic_store(&spool->full, needed && !more);
    if (more)
        spool_tell(control);
}

/* The link to the next chunk lies in the page that stays. */
static bool spool_cool(struct spool *spool, uint32_t number)
{
    struct spool_control *control = spool->control;
    uint32_t kept = spool_kept(spool);
    if (number < kept || spool_present(control) < atomic_load(&control->held) + kept ||
        fallocate(spool->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  spool_offset(number) + SPOOL_PAGE, SPOOL_CHUNK_BYTES - SPOOL_PAGE))
        return false;
    struct spool_chunk *chunk = spool_chunk_at(control, number);
    memset((void *)chunk->words, 0, SPOOL_PAGE - offsetof(struct spool_chunk, words));
    spool_push(control, &spool->cold_list, number);
    atomic_fetch_add(&control->cold, 1);
    return true;
}

void spool_give_back(struct spool *spool, uint32_t number)
{
    atomic_fetch_sub(&spool->control->held, 1);
    if (atomic_load(&spool->control->closed) || spool_cool(spool, number))
        return;
    struct spool_chunk *chunk = spool_chunk_at(spool->control, number);
    uint32_t used = chunk->taken < SPOOL_WORDS ? chunk->taken : SPOOL_WORDS;
    memset((void *)chunk->words, 0, used * sizeof *chunk->words);
    spool_push(spool->control, &spool->control->free_list, number);
    if (++spool->untold >= SPOOL_TOGETHER)
        spool_wake(spool);
}

void spool_wake(struct spool *spool)
{
    if (spool->untold)
        spool_tell(spool->control);
    spool->untold = 0;
}

/* Writing cannot be forbidden while anybody may write. */
bool spool_destroy(struct spool *spool)
{
    if (spool->control) {
        pthread_mutex_unlock(&spool->control->alive);
        munmap(spool->control, spool->control->mapping_bytes);
    }
    bool used = spool->file >= 0 && fcntl(spool->file, F_ADD_SEALS, F_SEAL_WRITE) && errno == EBUSY;
    if (spool->file >= 0)
        close(spool->file);
    *spool = (struct spool){.file = -1};
    return used;
}
