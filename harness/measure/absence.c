/* Absences: whether a thread was off its core. */
#include "harness/measure/absence.h"

#include <stddef.h>
#include <sys/resource.h>

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

enum absence_kind absence_look(struct absence *absence, volatile uint64_t *mark)
{
    enum absence_kind kind = ABSENCE_SOME;
    *mark = absence_here();
    if (!absence->asks)
        return kind;
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    kind = (uint64_t)usage.ru_nvcsw > absence->slept ? ABSENCE_SLEPT : ABSENCE_TAKEN;
    absence->slept = (uint64_t)usage.ru_nvcsw;
    return kind;
}
