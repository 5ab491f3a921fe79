/* Absences: whether a thread was off its core, told without a system call.
 *
 * The kernel clears a thread's pointer to a restartable sequence (rseq(2), Linux 4.18) when it
 * takes the thread off its core outside of that sequence. A pointer to a sequence that no code lies
 * in is thus a mark that stays for as long as the thread keeps its core. The C library registers
 * the pointer for every thread (glibc 2.35); what an allocator may set there itself, as tcmalloc of
 * 2020 and later does, counts as an absence.
 *
 * Of what kind it was, the kernel writes down in memory that is mapped beforehand: a record of each
 * context switch of the thread (perf_event_open(2), PERF_RECORD_SWITCH, Linux 4.3). Unprivileged
 * threads may have that of themselves up to perf_event_paranoid 2. */
#ifndef HARNESS_MEASURE_ABSENCE_H
#define HARNESS_MEASURE_ABSENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Of one thread, which alone uses it. All zero is one that cannot tell the kind. */
struct perf_event_mmap_page;
struct absence {
    struct perf_event_mmap_page *switches; /* NULL where the kernel does not write them down */
    volatile uint64_t never;               /* in place of a mark where there are none */
};

enum absence_kind {
    ABSENCE_NONE,
    ABSENCE_TAKEN, /* other work got the core */
    ABSENCE_SLEPT, /* the thread gave it away to wait: for a lock, a page, a while */
    ABSENCE_SOME,  /* one of them, or both */
};

/* Whether this system has such marks. */
bool absence_is_told(void);

/* Has the kernel write down the context switches of the calling thread, where it does. */
void absence_open(struct absence *absence);
void absence_close(struct absence *absence);

/* The calling thread's mark, and what it holds while the thread keeps its core. Where there are no
 * marks, one that always does. */
volatile uint64_t *absence_mark(struct absence *absence);
uint64_t absence_here(void);

/* The mark has gone: of what kind the absences since the last look were, and sets the mark again.
 * Having slept counts for more than having been taken off. No system call. */
enum absence_kind absence_look(struct absence *absence, volatile uint64_t *mark);

#endif
