/* Walks the calling thread's stack by cached rules, and only as far as it has changed. */
#ifndef WORKLOADS_RECORD_UNWIND_H
#define WORKLOADS_RECORD_UNWIND_H

#include <stddef.h>
#include <stdint.h>

#include "workloads/record/rules.h"

struct unwind_frame {
    uintptr_t slot; /* where the return address lies */
    uintptr_t pc;   /* the return address */
    uintptr_t bp;   /* frame pointer of the function it returns into */
    uint64_t hash;  /* of this and all outer return addresses */
};

enum { UNWIND_FRAMES = 256 };

/* A thread's stack as it was when it was last walked. Zeroed memory is one never walked. */
struct unwind {
    uint32_t count;
    struct unwind_frame frames[UNWIND_FRAMES]; /* the outermost first: those change least */
    /* Of the walk under way, the innermost first. What is written just before is read word by word:
     * the processor waits where a wider access takes two words together. */
    uintptr_t walked_slot[UNWIND_FRAMES], walked_pc[UNWIND_FRAMES], walked_bp[UNWIND_FRAMES];
};

/* Walks from the callers of the function whose frame pointer is `frame` outwards until it meets
 * what stands unchanged from the last walk. Deeper stacks than UNWIND_FRAMES lack their outermost
 * frames. Does not allocate; a signal handler must not walk on the same struct. */
void unwind(struct unwind *last, const void *frame, rules_module *found);

#endif
