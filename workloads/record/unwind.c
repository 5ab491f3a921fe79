/* A stack walk at the price of a table: the rule of every return address is worked out once. */
#include "workloads/record/unwind.h"

#include <pthread.h>
#include <stdbool.h>

#include "workloads/record/foreign.h"

#define UNWIND_STACK_MOST ((uintptr_t)1 << 30) /* no stack is larger */
#define UNWIND_FRAME_MOST ((uintptr_t)1 << 24) /* no frame is */
#define UNWIND_FACTOR UINT64_C(0x9e3779b97f4a7c15)

/* The end of the stack that `sp` lies in, 0 where it is a coroutine's or a signal handler's own: a
 * thread's control block lies at the end of its stack. */
static uintptr_t unwind_stack_end(uintptr_t sp)
{
    uintptr_t main_end = (uintptr_t)__libc_stack_end, self = (uintptr_t)pthread_self();
    if (main_end - sp < UNWIND_STACK_MOST)
        return main_end;
    return self - sp < UNWIND_STACK_MOST ? self : 0;
}

struct unwind_cursor {
    uintptr_t pc, sp, bp; /* sp: as after the return, just above the slot of pc */
    uintptr_t end;
};

static uintptr_t unwind_load(uintptr_t address)
{
    return *(const uintptr_t *)address;
}

/* Code without a table (made at run time) is walked by its frame pointer, where that points into
 * the stack at all. */
static bool unwind_by_pointer(struct unwind_cursor *at)
{
    if (at->bp < at->sp || at->bp % 8 || at->bp + 16 > at->end)
        return false;
    *at = (struct unwind_cursor){.pc = unwind_load(at->bp + 8),
                                 .sp = at->bp + 16,
                                 .bp = unwind_load(at->bp),
                                 .end = at->end};
    return true;
}

static bool unwind_step(struct unwind_cursor *at, rules_module *found)
{
    struct eh_rule rule = rules_of(at->pc, found);
    if (!rule.usable)
        return rule.cfa_offset == 0 && unwind_by_pointer(at);
    uintptr_t cfa = (rule.cfa_is_bp ? at->bp : at->sp) + (uintptr_t)(intptr_t)rule.cfa_offset;
    if (cfa <= at->sp || cfa - at->sp > UNWIND_FRAME_MOST || cfa % 8 || (at->end && cfa > at->end))
        return false;
    if (rule.bp_offset)
        at->bp = unwind_load(cfa + (uintptr_t)(intptr_t)rule.bp_offset);
    at->pc = unwind_load(cfa - 8);
    at->sp = cfa;
    return true;
}

/* It ends at 0, or at what is none: rules are not known beyond. */
static bool unwind_is_code(uintptr_t pc)
{
    return pc - 1 < ((uintptr_t)1 << RULES_ADDRESS_BITS) - 1;
}

/* Whether the cursor stands on a frame of the last walk from which outwards nothing has changed;
 * `last->count` is cut to where it could be. */
static bool unwind_meets(struct unwind *last, const struct unwind_cursor *at)
{
    uintptr_t slot = at->sp - 8;
    const struct unwind_frame *frame = last->frames + last->count;
    while (frame > last->frames && frame[-1].slot < slot)
        frame--;
    last->count = (uint32_t)(frame - last->frames);
    if (frame == last->frames || frame[-1].slot != slot || frame[-1].pc != at->pc ||
        frame[-1].bp != at->bp)
        return false;
    while (--frame > last->frames)
        if (unwind_load(frame[-1].slot) != frame[-1].pc) {
            last->count = (uint32_t)(frame - last->frames) - 1;
            return false;
        }
    return true;
}

/* The frames walked now go on top of those that were met. */
static void unwind_append(struct unwind *last, uint32_t count)
{
    if (last->count + count > UNWIND_FRAMES)
        last->count = 0;
    uint64_t hash = last->count ? last->frames[last->count - 1].hash : 0;
    while (count-- > 0) {
        hash = hash * UNWIND_FACTOR + last->walked_pc[count];
        last->frames[last->count++] = (struct unwind_frame){.slot = last->walked_slot[count],
                                                            .pc = last->walked_pc[count],
                                                            .bp = last->walked_bp[count],
                                                            .hash = hash};
    }
}

void unwind(struct unwind *last, const void *frame, rules_module *found)
{
    uintptr_t start = (uintptr_t)frame;
    struct unwind_cursor at = {.pc = unwind_load(start + 8),
                               .sp = start + 16,
                               .bp = unwind_load(start),
                               .end = unwind_stack_end(start)};
    uint32_t count = 0;
    bool met = false, more = true;
    while (more && count < UNWIND_FRAMES && !(met = unwind_meets(last, &at))) {
        last->walked_slot[count] = at.sp - 8;
        last->walked_pc[count] = at.pc;
        last->walked_bp[count++] = at.bp;
        more = unwind_step(&at, found) && unwind_is_code(at.pc);
    }
    if (!met)
        last->count = 0;
    unwind_append(last, count);
}
