/* Large live blocks of the recorded program, and how much of each it touches. */
#include "workloads/record/large.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "workloads/record/confine.h"
#include "workloads/record/process.h"
#include "workloads/record/record.h"

enum {
    LARGE_BUCKETS = 1 << 16,
    LARGE_WAYS = 4,
    LARGE_TOGETHER = 512,     /* pages asked about in one call, a byte each on the stack */
    LARGE_FIRST = 4096,       /* pages of a block that are looked at one by one in any case … */
    LARGE_PLACES = 128,       /* … and so many places of the rest, where all would be too dear */
    LARGE_PLACE = 32,         /* pages of each */
    LARGE_MANY = 1 << 15,     /* pages from which on that is worth it */
    LARGE_SAMPLE = 64,        /* pages of a very large block whose kind is asked about */
    LARGE_SAMPLED = 256,      /* pages of a block from which on they are */
    LARGE_TOLD_PAGE = 4096,   /* what is told is counted in these */
    LARGE_OLD_NS = 100000000, /* a block that lived so long is looked at in any case */
    /* What may be spent: so much, and a share of the program's processor time, of which this is the
     * reciprocal. */
    LARGE_FREE_NS = 10000000,
    LARGE_SHARE = 20,
    LARGE_READ_NS = 1000000, /* for so long the program's time is taken to stand still */
    /* What it costs, about: a look, a page looked at, the fault after a page was discarded. */
    LARGE_LOOK_NS = 2000,
    LARGE_PAGE_NS = 4,
    LARGE_FAULT_NS = 3000,
    LARGE_PLACE_NS = 300,
    LARGE_PLACES_NS = LARGE_LOOK_NS + (LARGE_FIRST + LARGE_PLACES * LARGE_PLACE) * LARGE_PAGE_NS +
                      LARGE_PLACES * LARGE_PLACE_NS,
};
#define LARGE_LOOK_MOST (UINT64_C(16) << 30) /* bytes; larger blocks are not looked at */

/* A slot is taken by its address; whoever has the block alone writes the rest. */
struct large_slot {
    _Atomic uintptr_t address; /* 0: free */
    _Atomic size_t size;       /* 0: not known yet, or no more; written last */
    _Atomic uint64_t begin_ns;
};

struct large {
    uint64_t start_ns;        /* processor time */
    _Atomic uint64_t used_ns; /* since then, when it was read last */
    _Atomic uint64_t read_ns; /* when that was */
    pid_t pid;
    _Atomic uint64_t spent_ns;
    struct large_slot slots[LARGE_BUCKETS][LARGE_WAYS];
};

_Atomic uint16_t large_marks[LARGE_MARKS];

static struct large *large;
static uint64_t large_page; /* bytes; not wiped, as a signal handler may fork in the middle */

static struct large *large_map(void)
{
    void *memory = mmap(NULL, sizeof *large, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED || madvise(memory, sizeof *large, MADV_WIPEONFORK) ? NULL : memory;
}

void large_open(void)
{
    large = large ? large : large_map();
    if (!large)
        return;
    memset((void *)large_marks, 0, sizeof large_marks);
    large->start_ns = clock_process_ns();
    large->used_ns = large->read_ns = 0;
    large_page = (uint64_t)sysconf(_SC_PAGESIZE);
    large->pid = getpid();
}

static _Atomic uint16_t *large_mark(uintptr_t address)
{
    return &large_marks[address / SPOOL_LARGE % LARGE_MARKS];
}

/* The slot that holds `address`; with 0 a free one where `near` would go. */
static struct large_slot *large_find(uintptr_t near, uintptr_t address)
{
    struct large_slot *slots = large->slots[near / SPOOL_LARGE % LARGE_BUCKETS];
    for (int way = 0; way < LARGE_WAYS; way++)
        if (atomic_load_explicit(&slots[way].address, memory_order_relaxed) == address)
            return &slots[way];
    return NULL;
}

/* --- what it may cost --- */

static uint64_t large_look_ns(uint64_t pages)
{
    return LARGE_LOOK_NS + pages * LARGE_PAGE_NS;
}

/* Processor time, as what others take of a core is not the program's to spend. Read now and then:
 * it takes a system call. */
static uint64_t large_used_ns(uint64_t now_ns)
{
    if (now_ns - large->read_ns >= LARGE_READ_NS) {
        large->read_ns = now_ns;
        large->used_ns = clock_process_ns() - large->start_ns;
    }
    return large->used_ns;
}

/* Whether so much may be spent now; then it is, and is the recorder's share of the program's time.
 */
static bool large_spend(uint64_t now_ns, uint64_t cost_ns)
{
    uint64_t allowed = LARGE_FREE_NS + large_used_ns(now_ns) / LARGE_SHARE;
    if (atomic_load_explicit(&large->spent_ns, memory_order_relaxed) + cost_ns > allowed)
        return false;
    atomic_fetch_add(&large->spent_ns, cost_ns);
    atomic_fetch_add(&record_spool->refill_ns, cost_ns);
    return true;
}

/* What was cheaper than it was thought to be may be spent again. */
static void large_refund(uint64_t cost_ns, uint64_t begun_ns)
{
    uint64_t spent_ns = clock_ns() - begun_ns;
    if (spent_ns >= cost_ns)
        return;
    atomic_fetch_sub(&large->spent_ns, cost_ns - spent_ns);
    atomic_fetch_sub(&record_spool->refill_ns, cost_ns - spent_ns);
}

/* --- looking --- */

/* Pages from `at` to `end`, both at a page's beginning, that have memory; all of them where the
 * kernel does not tell. */
static uint64_t large_resident(uintptr_t at, uintptr_t end)
{
    unsigned char pages[LARGE_TOGETHER];
    uint64_t resident = 0, page = large_page;
    while (at < end) {
        size_t count = (end - at) / page < LARGE_TOGETHER ? (end - at) / page : LARGE_TOGETHER;
        if (syscall(SYS_mincore, at, count * page, pages))
            return resident + (end - at) / page;
        for (size_t i = 0; i < count; i++)
            resident += pages[i] & 1;
        at += count * page;
    }
    return resident;
}

/* About as many: behind the first pages by places that are evenly spread. */
static uint64_t large_estimate(uintptr_t at, uintptr_t end)
{
    uint64_t page = large_page, found = 0;
    uintptr_t rest = at + LARGE_FIRST * page;
    uint64_t pages = (end - rest) / page;
    for (uint64_t i = 0; i < LARGE_PLACES; i++) {
        uintptr_t place = rest + pages * i / LARGE_PLACES * page;
        found += large_resident(place, place + LARGE_PLACE * page);
    }
    return large_resident(at, rest) + pages * found / (LARGE_PLACES * LARGE_PLACE);
}

/* Looks as closely as may be spent; false: not at all. */
static bool large_count(uintptr_t at, uintptr_t end, uint64_t now_ns, uint64_t *resident)
{
    uint64_t all_ns = large_look_ns((end - at) / large_page);
    if (large_spend(now_ns, all_ns)) {
        *resident = large_resident(at, end);
        large_refund(all_ns, now_ns);
        return true;
    }
    if ((end - at) / large_page < LARGE_MANY || !large_spend(now_ns, LARGE_PLACES_NS))
        return false;
    *resident = large_estimate(at, end);
    large_refund(LARGE_PLACES_NS, now_ns);
    return true;
}

/* A page that was only read is the kernel's one page of zeros: resident, but none of the program's
 * memory. How many of the resident pages are no such ones, by a sample; all where the kernel does
 * not tell. */
static uint64_t large_written(uintptr_t at, uintptr_t end, uint64_t resident)
{
    uint64_t count = (end - at) / large_page, read = 0, written = 0;
    void *pages[LARGE_SAMPLE];
    int kinds[LARGE_SAMPLE];
    if (count < LARGE_SAMPLED || !resident)
        return resident;
    for (uint64_t i = 0; i < LARGE_SAMPLE; i++)
        pages[i] = (void *)(at + count * i / LARGE_SAMPLE * large_page);
    if (syscall(SYS_move_pages, 0, LARGE_SAMPLE, pages, NULL, kinds, 0))
        return resident;
    for (int i = 0; i < LARGE_SAMPLE; i++) {
        read += kinds[i] == -EFAULT;
        written += kinds[i] >= 0;
    }
    return read ? resident * written / (read + written) : resident;
}

/* The page in which a block begins counts in any case, as the allocator may have written there; the
 * one in which it ends, where it is shared, with the others only. A block that lived but a moment
 * is looked at as closely as may be spent. */
static void large_look(uintptr_t address, size_t size, bool brief, uint64_t now_ns)
{
    uint64_t page = large_page, touched = UINT64_MAX;
    uintptr_t second = (address / page + 1) * page, end = (address + size) / page * page;
    uint64_t told[2] = {address, 0};
    bool looked = size <= LARGE_LOOK_MOST;
    if (size < SPOOL_LARGE)
        return; /* a slot that another thread, or a child's parent, is about to fill or to leave */
    if (looked && !brief)
        touched = large_resident(second, end);
    else if (looked && !large_count(second, end, now_ns, &touched))
        return;
    if (touched <= (end - second) / page)
        touched = large_written(second, end, touched);
    if (touched < (end - second) / page)
        told[1] = (touched + 1) * page / LARGE_TOLD_PAGE;
    record_tell(SPOOL_TOUCHED, told, 2);
}

/* Gives back what is resident from `from` to `end`. */
static void large_discard(uintptr_t from, uintptr_t end, uint64_t now_ns)
{
    uint64_t page = large_page, resident;
    from = (from + page - 1) / page * page;
    end = end / page * page;
    if (from >= end || end - from > LARGE_LOOK_MOST || !large_count(from, end, now_ns, &resident))
        return;
    if (resident && large_spend(now_ns, resident * LARGE_FAULT_NS))
        syscall(SYS_madvise, from, end - from, MADV_DONTNEED);
}

/* --- blocks --- */

void large_begin(void *pointer, size_t size, size_t kept)
{
    uintptr_t address = (uintptr_t)pointer, none = 0;
    if (!address || !large || confined() || process_is_left_alone())
        return;
    int error = errno;
    struct large_slot *slot = large_find(address, 0);
    while (slot && !atomic_compare_exchange_strong(&slot->address, &none, address)) {
        slot = large_find(address, 0);
        none = 0;
    }
    if (slot) {
        uint64_t now_ns = clock_ns();
        slot->begin_ns = now_ns;
        slot->size = size;
        atomic_fetch_add(large_mark(address), 1);
        if (kept < size)
            large_discard(address + kept, address + size, now_ns);
    }
    errno = error;
}

size_t large_end(const void *pointer)
{
    uintptr_t address = (uintptr_t)pointer;
    struct large_slot *slot = large && address ? large_find(address, address) : NULL;
    if (!slot)
        return 0;
    int error = errno;
    size_t size = slot->size;
    if (!confined()) {
        uint64_t now_ns = clock_ns();
        large_look(address, size, now_ns - slot->begin_ns <= LARGE_OLD_NS, now_ns);
    }
    atomic_fetch_sub(large_mark(address), 1);
    atomic_store(&slot->size, 0);
    atomic_store(&slot->address, 0);
    errno = error;
    return size;
}

void large_end_all(void)
{
    /* A child of vfork is in its parent's memory. */
    if (!large || confined() || large->pid != getpid())
        return;
    int error = errno;
    for (size_t mark = 0; mark < LARGE_MARKS; mark++)
        if (large_marks[mark])
            for (size_t bucket = mark; bucket < LARGE_BUCKETS; bucket += LARGE_MARKS)
                for (int way = 0; way < LARGE_WAYS; way++) {
                    struct large_slot *slot = &large->slots[bucket][way];
                    uintptr_t address = slot->address;
                    if (address)
                        large_look(address, slot->size, false, 0);
                }
    errno = error;
}

__attribute__((destructor)) static void large_at_exit(void)
{
    large_end_all();
}
