/* The slowest calls of a replay, and what is known of why they were slow. */
#ifndef HARNESS_MEASURE_WORST_H
#define HARNESS_MEASURE_WORST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/measure/absence.h"
#include "harness/measure/window.h"

enum { WORST_CALLS = 64, WORST_SYSTEM_CALLS = 6 };

#define WORST_UNKNOWN UINT64_MAX

/* System calls of one number. */
struct system_calls {
    uint32_t number;
    uint32_t count;
};

struct worst_call {
    uint64_t ns;        /* clock cost included */
    uint64_t operation; /* its number among those that were replayed */
    uint64_t event;     /* its number among all the trace's events */
    uint64_t thread;    /* that made it, as recorded */
    uint64_t size;      /* asked for; of a free, that of the block it frees */
    enum op_kind kind;
    /* Involuntary context switches in the window it was in: how many calls share them is not known.
     */
    uint64_t switches;
    enum absence_kind absence; /* of its thread from the core, where */
    bool absence_told;
    bool among_others; /* other threads or processes were calling at the same time */
    /* From the same call in further replays; WORST_UNKNOWN where there was none. */
    uint64_t again_ns;
    uint64_t page_faults;
    uint64_t system_calls; /* of all numbers; the first few are told apart: */
    struct system_calls numbers[WORST_SYSTEM_CALLS];
};

/* A heap whose top is the least slow of those it holds. All zero is an empty one. */
struct worst {
    size_t count;
    struct worst_call calls[WORST_CALLS];
};

/* Whether a call of that length would be kept. */
static inline bool worst_takes(const struct worst *worst, uint64_t ns)
{
    return worst->count < WORST_CALLS || ns > worst->calls[0].ns;
}

/* Keeps the call, and drops the least slow where there are too many. What further replays tell is
 * set unknown. Call it if worst_takes(). */
void worst_add(struct worst *worst, const struct worst_call *call);

/* In the order of the replay, as a replay that looks for them wants them; and the slowest first.
 * Neither is a heap any longer. */
void worst_order_by_operation(struct worst *worst);
void worst_order_by_time(struct worst *worst);

/* Counts a system call of the call. */
void worst_note_system_call(struct worst_call *call, uint32_t number);

/* Why it was slow, as far as it shows. */
enum cause {
    CAUSE_UNKNOWN,
    CAUSE_DISTURBED, /* not the allocator: it was quick when it was done again */
    CAUSE_TAKEN,     /* the same, and other work got the core in it */
    CAUSE_OTHERS,    /* quick alone, and its thread kept the core: others' calls, as by a lock that
                        is waited for without sleep, or interrupts */
    CAUSE_LOCK,      /* its thread slept, and nothing else shows that one sleeps for */
    CAUSE_ANY_LOCK,  /* it slept, and makes system calls or page faults, which may have to wait too
                      */
    CAUSE_SYSTEM_CALL, /* of any other kind */
    CAUSE_PAGE_FAULT,
    CAUSE_ALLOCATOR, /* slow again without any of them: its own work, or the caches' */
    CAUSES
};
extern const char *const cause_names[CAUSES];
enum cause worst_cause(const struct worst_call *call);

/* What the slowest call took that was as slow when it was done again, or nearly so, or that slept
 * for a lock: of each call the quicker time counts, of those that slept the first. WORST_UNKNOWN
 * where calls were not done again, or where so many were disturbed that the slowest may be one that
 * was not kept. */
uint64_t worst_own_ns(const struct worst *worst);

/* "kept", "taken", "slept", "lost", or "" where it is not told. */
const char *worst_core(const struct worst_call *call);

/* "munmap", or NULL for one that allocators do not make. */
const char *system_call_name(uint32_t number);

#endif
