/* Absences: whether a thread was off its core. */
#include "harness/measure/absence.h"

#include <linux/perf_event.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<sys/rseq.h>) && defined(__x86_64__)
#include <sys/rseq.h>
#define ABSENCE_MARKS
#endif
#endif

#ifdef ABSENCE_MARKS

/* Where an abort would lead to: the kernel wants the signature before it. */
static const uint32_t absence_nowhere[2] = {RSEQ_SIG};

/* One byte that nothing runs through. */
static const struct rseq_cs absence_sequence = {
    .start_ip = (uintptr_t)&absence_sequence,
    .post_commit_offset = 1,
    .abort_ip = (uintptr_t)&absence_nowhere[1],
};

bool absence_is_told(void)
{
    return __rseq_size > 0;
}

uint64_t absence_here(void)
{
    return (uintptr_t)&absence_sequence;
}

static volatile uint64_t *absence_pointer(void)
{
    char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
    return (volatile uint64_t *)(void *)(area + offsetof(struct rseq, rseq_cs));
}

#else

bool absence_is_told(void)
{
    return false;
}

uint64_t absence_here(void)
{
    return 0;
}

static volatile uint64_t *absence_pointer(void)
{
    return NULL;
}

#endif

volatile uint64_t *absence_mark(struct absence *absence)
{
    if (absence_is_told())
        return absence_pointer();
    absence->never = absence_here();
    return &absence->never;
}

/* A page that the kernel keeps, and one of records: 256 absences, each out and in again. */
enum { ABSENCE_PAGE = 4096, ABSENCE_MAPPED = 2 * ABSENCE_PAGE };

void absence_open(struct absence *absence)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof attributes,
        .config = PERF_COUNT_SW_DUMMY,
        .exclude_kernel = 1,
        .exclude_hv = 1,
        .context_switch = 1,
        .watermark = 1,
        .wakeup_watermark = ABSENCE_PAGE, /* nobody waits for records */
    };
    int fd = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return;
    void *mapped =
        mmap(NULL, ABSENCE_MAPPED, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED)
        return;
    absence->switches = mapped;
    /* Populating does not make the page writable: else the first look would fault. */
    __atomic_store_n(&absence->switches->data_tail, 0, __ATOMIC_RELAXED);
}

void absence_close(struct absence *absence)
{
    if (absence->switches)
        munmap(absence->switches, ABSENCE_MAPPED);
    absence->switches = NULL;
}

/* Of the records up to `head`, which are then the kernel's to write over. */
static bool absence_has_slept(struct perf_event_mmap_page *switches, uint64_t head)
{
    const char *records = (const char *)switches + ABSENCE_PAGE;
    bool slept = false;
    uint64_t tail = switches->data_tail;
    while (tail < head) {
        struct perf_event_header record;
        memcpy(&record, records + tail % ABSENCE_PAGE, sizeof record);
        slept |= record.type == PERF_RECORD_SWITCH && (record.misc & PERF_RECORD_MISC_SWITCH_OUT) &&
                 !(record.misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT);
        tail += record.size;
    }
    __atomic_store_n(&switches->data_tail, tail, __ATOMIC_RELEASE);
    return slept;
}

enum absence_kind absence_look(struct absence *absence, volatile uint64_t *mark)
{
    struct perf_event_mmap_page *switches = absence->switches;
    *mark = absence_here();
    if (!switches)
        return ABSENCE_SOME;
    uint64_t head = __atomic_load_n(&switches->data_head, __ATOMIC_ACQUIRE);
    /* What found no room is not known. */
    bool full = head - switches->data_tail + 2 * sizeof(struct perf_event_header) > ABSENCE_PAGE;
    bool slept = absence_has_slept(switches, head);
    return slept ? ABSENCE_SLEPT : full ? ABSENCE_SOME : ABSENCE_TAKEN;
}
