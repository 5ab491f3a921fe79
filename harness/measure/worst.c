/* The slowest calls of a replay. */
#include "harness/measure/worst.h"

#include <sys/syscall.h>

const char *const cause_names[CAUSES] = {
    [CAUSE_UNKNOWN] = "not known",
    [CAUSE_DISTURBED] = "not the allocator",
    [CAUSE_TAKEN] = "core taken away",
    [CAUSE_OTHERS] = "other threads or interrupts",
    [CAUSE_LOCK] = "lock",
    [CAUSE_ANY_LOCK] = "lock of its own or the kernel's",
    [CAUSE_SYSTEM_CALL] = "system call",
    [CAUSE_PAGE_FAULT] = "page fault",
    [CAUSE_ALLOCATOR] = "the allocator's own work",
};

static void worst_swap(struct worst_call *a, struct worst_call *b)
{
    struct worst_call kept = *a;
    *a = *b;
    *b = kept;
}

static void worst_sift_down(struct worst *worst)
{
    struct worst_call *calls = worst->calls;
    for (size_t at = 0, child; (child = 2 * at + 1) < worst->count; at = child) {
        if (child + 1 < worst->count && calls[child + 1].ns < calls[child].ns)
            child++;
        if (calls[at].ns <= calls[child].ns)
            return;
        worst_swap(&calls[at], &calls[child]);
    }
}

static void worst_sift_up(struct worst *worst)
{
    struct worst_call *calls = worst->calls;
    for (size_t at = worst->count - 1; at > 0 && calls[at].ns < calls[(at - 1) / 2].ns;
         at = (at - 1) / 2)
        worst_swap(&calls[at], &calls[(at - 1) / 2]);
}

void worst_add(struct worst *worst, const struct worst_call *call)
{
    bool full = worst->count == WORST_CALLS;
    struct worst_call *place = &worst->calls[full ? 0 : worst->count++];
    *place = *call;
    place->again_ns = place->page_faults = place->system_calls = WORST_UNKNOWN;
    for (size_t i = 0; i < WORST_SYSTEM_CALLS; i++)
        place->numbers[i] = (struct system_calls){0};
    if (full)
        worst_sift_down(worst);
    else
        worst_sift_up(worst);
}

static bool worst_is_earlier(const struct worst_call *a, const struct worst_call *b)
{
    return a->operation < b->operation;
}

/* Of equals the earlier. */
static bool worst_is_slower(const struct worst_call *a, const struct worst_call *b)
{
    return a->ns > b->ns || (a->ns == b->ns && worst_is_earlier(a, b));
}

typedef bool worst_comparison(const struct worst_call *a, const struct worst_call *b);

static void worst_order(struct worst *worst, worst_comparison *before)
{
    for (size_t i = 1; i < worst->count; i++)
        for (size_t at = i; at > 0 && before(&worst->calls[at], &worst->calls[at - 1]); at--)
            worst_swap(&worst->calls[at], &worst->calls[at - 1]);
}

void worst_order_by_operation(struct worst *worst)
{
    worst_order(worst, worst_is_earlier);
}

void worst_order_by_time(struct worst *worst)
{
    worst_order(worst, worst_is_slower);
}

void worst_note_system_call(struct worst_call *call, uint32_t number)
{
    call->system_calls++;
    for (size_t i = 0; i < WORST_SYSTEM_CALLS; i++) {
        struct system_calls *calls = &call->numbers[i];
        if (calls->count == 0)
            calls->number = number;
        if (calls->number == number) {
            calls->count++;
            return;
        }
    }
}

static bool worst_waits(const struct worst_call *call)
{
    for (size_t i = 0; i < WORST_SYSTEM_CALLS && call->numbers[i].count; i++)
        if (call->numbers[i].number == SYS_futex || call->numbers[i].number == SYS_sched_yield)
            return true;
    return false;
}

/* Caches are colder in one replay than in another, which makes for a factor of two. */
static bool worst_was_disturbed(const struct worst_call *call)
{
    enum { ALIKE_NS = 1000 };
    return call->again_ns != WORST_UNKNOWN && call->ns / 2 > call->again_ns + ALIKE_NS;
}

static bool worst_slept(const struct worst_call *call)
{
    return call->absence_told && call->absence == ABSENCE_SLEPT;
}

static bool worst_has(uint64_t count)
{
    return count != WORST_UNKNOWN && count > 0;
}

/* What the kernel does for a call holds locks too: of the address space, of a file. */
static enum cause worst_lock(const struct worst_call *call)
{
    bool seen = call->page_faults != WORST_UNKNOWN && call->system_calls != WORST_UNKNOWN;
    bool quiet = call->page_faults == 0 && (call->system_calls == 0 || worst_waits(call));
    return seen && quiet ? CAUSE_LOCK : CAUSE_ANY_LOCK;
}

/* What was quick when it was done again, with nobody else about. */
static enum cause worst_disturbance(const struct worst_call *call)
{
    if (call->absence_told && call->absence == ABSENCE_TAKEN)
        return CAUSE_TAKEN;
    return call->among_others ? CAUSE_OTHERS : CAUSE_DISTURBED;
}

enum cause worst_cause(const struct worst_call *call)
{
    if (worst_slept(call))
        return worst_lock(call);
    if (worst_was_disturbed(call))
        return worst_disturbance(call);
    if (worst_has(call->system_calls))
        return worst_waits(call) ? CAUSE_LOCK : CAUSE_SYSTEM_CALL;
    if (worst_has(call->page_faults))
        return CAUSE_PAGE_FAULT;
    bool seen = call->again_ns != WORST_UNKNOWN && call->system_calls != WORST_UNKNOWN;
    return seen ? CAUSE_ALLOCATOR : CAUSE_UNKNOWN;
}

const char *worst_core(const struct worst_call *call)
{
    static const char *const names[] = {
        [ABSENCE_NONE] = "kept",
        [ABSENCE_TAKEN] = "taken",
        [ABSENCE_SLEPT] = "slept",
        [ABSENCE_SOME] = "lost",
    };
    return call->absence_told ? names[call->absence] : "";
}

uint64_t worst_own_ns(const struct worst *worst)
{
    uint64_t slowest = 0, least_kept = UINT64_MAX;
    for (size_t i = 0; i < worst->count; i++) {
        const struct worst_call *call = &worst->calls[i];
        if (call->again_ns == WORST_UNKNOWN)
            return WORST_UNKNOWN;
        bool quicker = call->again_ns < call->ns && !worst_slept(call);
        uint64_t own_ns = quicker ? call->again_ns : call->ns;
        slowest = own_ns > slowest ? own_ns : slowest;
        least_kept = call->ns < least_kept ? call->ns : least_kept;
    }
    bool all_kept = worst->count < WORST_CALLS;
    return worst->count > 0 && (all_kept || slowest >= least_kept) ? slowest : WORST_UNKNOWN;
}

static const struct {
    uint32_t number;
    const char *name;
} system_call_names[] = {
    {SYS_mmap, "mmap"},
    {SYS_munmap, "munmap"},
    {SYS_mremap, "mremap"},
    {SYS_madvise, "madvise"},
    {SYS_mprotect, "mprotect"},
    {SYS_brk, "brk"},
    {SYS_futex, "futex"},
    {SYS_sched_yield, "sched_yield"},
    {SYS_clone, "clone"},
    {SYS_clone3, "clone3"},
    {SYS_prctl, "prctl"},
    {SYS_openat, "openat"},
    {SYS_read, "read"},
    {SYS_write, "write"},
    {SYS_close, "close"},
    {SYS_getrandom, "getrandom"},
    {SYS_rt_sigprocmask, "rt_sigprocmask"},
    {SYS_clock_nanosleep, "clock_nanosleep"},
    {SYS_clock_gettime, "clock_gettime"},
    {SYS_getcpu, "getcpu"},
    {SYS_sched_getaffinity, "sched_getaffinity"},
    {SYS_mincore, "mincore"},
    {SYS_msync, "msync"},
    {SYS_ftruncate, "ftruncate"},
    {SYS_fallocate, "fallocate"},
    {SYS_membarrier, "membarrier"},
};

const char *system_call_name(uint32_t number)
{
    for (size_t i = 0; i < sizeof system_call_names / sizeof *system_call_names; i++)
        if (system_call_names[i].number == number)
            return system_call_names[i].name;
    return NULL;
}
