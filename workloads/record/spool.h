/* The spool: memory shared between a recorded program and the recorder that drains it.
 *
 * A file of equal chunks, mapped whole by both sides. Each thread of the program fills a chunk of
 * its own without a lock; the drain empties full ones and gives them back. What was written is in
 * the file at once, so a killed program loses nothing but the record under way.
 *
 * A record is one to five words: a head and what its bits announce. Room is taken by one
 * unlocked addition (atomic to signal handlers of the same thread) before the stamp is, and the
 * head is written last: a word still zero is a record under way, and all later stamps of that
 * thread are higher than any stamp taken before the hole was seen. The last word of a record is
 * the last to be written but for its head. */
#ifndef WORKLOADS_RECORD_SPOOL_H
#define WORKLOADS_RECORD_SPOOL_H

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The spool file's path and, behind SPOOL_SECRET_AT, what a process that may not open it has to
 * know to be handed it. */
#define SPOOL_ENVIRONMENT "HEAPBENCH_SPOOL"
#define SPOOL_SECRET_AT ':'
#define SPOOL_PID_NAMESPACE "/proc/self/ns/pid"
#define SPOOL_MAGIC UINT64_C(0x316c6f6f70736268)

enum {
    SPOOL_CHUNK_BYTES = 64 << 10,
    SPOOL_HEAD_WORDS = 8,
    SPOOL_WORDS = SPOOL_CHUNK_BYTES / 8 - SPOOL_HEAD_WORDS,
    SPOOL_IMAGES = 1 << 14, /* program images one recording can tell apart */
    SPOOL_AWAITED = 1 << 10,
    SPOOL_IDLE_MS = 4, /* that a drain waits which found nothing more to do */
    SPOOL_PATH = 64,
    SPOOL_LARGE = 32 << 10, /* blocks from this size on are looked at when they end */
};

/* Allocations are odd, as their numbers in the sequence are. */
enum spool_kind {
    SPOOL_HOLE, /* not written yet */
    SPOOL_MALLOC,
    SPOOL_FREE,
    SPOOL_CALLOC,
    SPOOL_RELEASE, /* the free half of a realloc, stamped before the call */
    SPOOL_RESIZE,  /* its allocation half, stamped after; pointer 0: failed, or freed by size 0 */
    SPOOL_CONTROL, /* enum spool_control_record in the size bits */
    SPOOL_ALIGNED,
};

/* Of all but the first two the head's pointer bits count the words in all; the last three have a
 * word for the stamp in any case. */
enum spool_control_record {
    SPOOL_END,     /* full: the stream goes on in its next chunk */
    SPOOL_THREAD,  /* the thread has ended, what follows is another one's */
    SPOOL_PENDING, /* the head is still to come */
    SPOOL_MODULE,  /* start, end, load bias, path: code that stacks will point into */
    SPOOL_STACK,   /* number, hash, return addresses, the innermost first */
    SPOOL_TOUCHED, /* address of a live block, pages of 4 KiB touched of it; 0: all */
    SPOOL_NOTHING, /* one word that nothing came of */
};

/* Head: kind in bits 0-2, flags, size in bits 6-15 where it fits, pointer in bits 16-63 (user
 * addresses have 47 bits unless a program asks for more). Then, each where flagged: the stamp, the
 * size; for SPOOL_ALIGNED the alignment; the call site. A failed call has the pointer 0. */
enum spool_flag {
    SPOOL_STAMPED = 1 << 3, /* else: as the record before in this stream */
    SPOOL_SIZED = 1 << 4,
    SPOOL_SITED = 1 << 5,
};
enum { SPOOL_SIZE_SHIFT = 6, SPOOL_SMALL = 1 << 10, SPOOL_POINTER_SHIFT = 16 };

/* A record whose head is all: its stamp is so many steps of the sequence, in the pointer's lowest
 * bits, above the one before in this stream. Bit 63 is no other pointer's. */
#define SPOOL_STEPPED (UINT64_C(1) << 63)
enum { SPOOL_STEPS = 16 };
#define SPOOL_POINTERS ((UINT64_C(1) << 47) - 1)

/* Of a record that is finished. */
static inline uint32_t spool_words(uint64_t head)
{
    uint32_t told = (uint32_t)(head >> SPOOL_POINTER_SHIFT);
    if ((head & 7) == SPOOL_CONTROL)
        return told ? told : 1;
    if (head & SPOOL_STEPPED)
        return 1;
    return 1u + !!(head & SPOOL_STAMPED) + !!(head & SPOOL_SIZED) + !!(head & SPOOL_SITED) +
           ((head & 7) == SPOOL_ALIGNED);
}

static inline bool spool_allocates(enum spool_kind kind)
{
    return kind & 1;
}

/* The sequence moves by two with each free: what is behind it and before the next one has the odd
 * number between. */
static inline uint64_t spool_step(uint64_t stamp, uint64_t before)
{
    return (stamp >> 1) - (before >> 1);
}

/* The stamp of a stepped record. */
static inline uint64_t spool_stepped(uint64_t head, uint64_t before)
{
    uint64_t twice = (head >> (SPOOL_POINTER_SHIFT - 1)) & (2 * (SPOOL_STEPS - 1));
    return (before & ~UINT64_C(1)) + (twice | (head & 1));
}

static inline uint64_t spool_pointer(uint64_t head)
{
    uint64_t bits = SPOOL_POINTERS & ~(uint64_t)(SPOOL_STEPS - 1);
    return (head >> SPOOL_POINTER_SHIFT) & (head & SPOOL_STEPPED ? bits : SPOOL_POINTERS);
}

/* The file's path alone, of an environment text. */
static inline void spool_file_path(char path[SPOOL_PATH], const char *where)
{
    size_t length = 0;
    while (length < SPOOL_PATH - 1 && where[length] && where[length] != SPOOL_SECRET_AT)
        length++;
    memcpy(path, where, length);
    path[length] = '\0';
}

/* Where the recorder listens: a name outside the file system, which every user can see. */
static inline socklen_t spool_address(struct sockaddr_un *address, const char *where)
{
    char path[SPOOL_PATH];
    spool_file_path(path, where);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path + 1, path, strlen(path));
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(path));
}

struct spool_chunk {
    uint32_t taken;        /* words reserved; may run past SPOOL_WORDS */
    uint32_t stream;       /* number of the thread in all of the recording */
    uint32_t image;        /* whose thread */
    _Atomic uint32_t next; /* link in either list, chunk number + 1 */
    uint32_t unused[12];
    _Atomic uint64_t words[SPOOL_WORDS];
};
_Static_assert(sizeof(struct spool_chunk) == SPOOL_CHUNK_BYTES, "chunks tile the file");

enum spool_order {
    SPOOL_BY_SEQUENCE, /* one shared counter of frees: cheaper on few cores */
    SPOOL_BY_COUNTER,  /* the invariant time-stamp counter: does not contend */
};

/* One program image: a process after exec or, when followed, after fork. */
struct spool_image {
    _Atomic int32_t pid;           /* 0: not begun */
    _Atomic uint32_t own_malloc;   /* what the program calls is not the recorder's */
    uint32_t plain_ps, stamped_ps; /* what a record costs, in picoseconds, tried out here */
    char program[32];              /* beginning of the program's name */
    char becomes[32];              /* likewise of what it is about to become, "" nothing */
};

/* A child process that has become another program in which the recorder was not heard of yet. */
struct spool_awaited {
    _Atomic int32_t pid; /* as it sees itself; 0: none */
    char program[28];    /* beginning of the program's name */
};

/* First in the file, followed by chunks at SPOOL_FIRST. */
struct spool_control {
    uint64_t magic;
    /* set by the drain before the program starts */
    uint64_t mapping_bytes; /* of the file's final size at most */
    int32_t root_pid;
    uint32_t follow;
    uint32_t stamp_always;
    uint32_t depth; /* of call stacks, 0: none */
    enum spool_order order;
    uint64_t pid_namespace; /* the drain's, as the system numbers it; 0: it does not tell */
    pthread_mutex_t alive;  /* held by the drain's process, as long as it lives */

    /* the pool */
    _Alignas(64) _Atomic uint32_t allocated; /* chunks in the file; the drain adds (futex) */
    _Atomic uint32_t fresh;                  /* chunks ever taken from the unused end */
    _Atomic uint32_t held;                   /* chunks with records, or being written to */
    _Atomic uint32_t cold;                   /* chunks that have no memory for now */
    _Atomic uint32_t demand;                 /* futex: somebody wants more */
    _Atomic uint32_t closed;                 /* nobody drains any more */
    _Atomic uint32_t idle;                   /* how often the drain found nothing more to do */
    _Atomic uint32_t returned;               /* futex: chunks were given back */
    _Atomic uint32_t waiting;                /* threads that wait for chunks */
    _Alignas(64) _Atomic uint64_t free_list; /* tag in the upper half, chunk + 1 in the lower */
    _Alignas(64) _Atomic uint64_t opened;    /* chunks newly begun, to be found by the drain */
    _Atomic uint32_t streams;
    _Atomic uint32_t images;
    _Atomic uint32_t confined;   /* a process forbids itself system calls: it asks for nothing */
    _Atomic uint32_t left_alone; /* child processes that allocate and are not recorded */
    _Atomic uint64_t lost;       /* events there was no room for */
    _Atomic uint64_t refill_ns;  /* processor time outside the fast path, all threads */
    _Atomic uint64_t walk_ns;    /* processor time for call stacks, by samples */
    _Atomic uint64_t wait_ns;    /* time spent waiting for room, all threads */
    _Alignas(64) _Atomic uint64_t sequence;
    _Alignas(64) struct spool_image image[SPOOL_IMAGES];
    struct spool_awaited awaited[SPOOL_AWAITED]; /* by pid */
};

#define SPOOL_FIRST ((sizeof(struct spool_control) + 4095) / 4096 * 4096)

/* Whether the drain's process is gone, however it ended: the kernel notes it in what it held. */
static inline bool spool_is_orphaned(const struct spool_control *control)
{
    const int *lock = &control->alive.__data.__lock;
    return __atomic_load_n(lock, __ATOMIC_RELAXED) & FUTEX_OWNER_DIED;
}

/* Chunks that have memory. */
static inline uint32_t spool_present(const struct spool_control *control)
{
    return atomic_load(&control->allocated) - atomic_load(&control->cold);
}

static inline struct spool_chunk *spool_chunk_at(struct spool_control *control, uint32_t number)
{
    return (struct spool_chunk *)((char *)control + SPOOL_FIRST +
                                  (uint64_t)number * SPOOL_CHUNK_BYTES);
}

static inline uint32_t spool_chunk_number(struct spool_control *control, struct spool_chunk *chunk)
{
    return (uint32_t)(((uint64_t)((char *)chunk - (char *)control) - SPOOL_FIRST) /
                      SPOOL_CHUNK_BYTES);
}

/* Both lists are stacks; the tag makes every state of the head a new one. */
static inline void spool_push(struct spool_control *control, _Atomic uint64_t *list,
                              uint32_t number)
{
    struct spool_chunk *chunk = spool_chunk_at(control, number);
    uint64_t head = atomic_load_explicit(list, memory_order_acquire), now;
    do {
        atomic_store_explicit(&chunk->next, (uint32_t)head, memory_order_relaxed);
        now = ((head >> 32) + 1) << 32 | (number + 1);
    } while (!atomic_compare_exchange_weak(list, &head, now));
}

/* Takes the topmost chunk: its number + 1, or 0 where there is none. */
static inline uint32_t spool_pop(struct spool_control *control, _Atomic uint64_t *list)
{
    uint64_t head = atomic_load_explicit(list, memory_order_acquire), now;
    do {
        if (!(uint32_t)head)
            return 0;
        struct spool_chunk *chunk = spool_chunk_at(control, (uint32_t)head - 1);
        now = ((head >> 32) + 1) << 32 | atomic_load_explicit(&chunk->next, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak(list, &head, now));
    return (uint32_t)head;
}

#endif
