/* A stack walk at the price of a hash table: the rule of every return address is worked out once.
 */
#include "workloads/record/unwind.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "workloads/record/eh_frame.h"
#include "workloads/record/foreign.h"

enum {
    UNWIND_CACHE = 1 << 15, /* return addresses remembered */
    UNWIND_MODULES = 4096,
    UNWIND_PROBES = 8,
};
#define UNWIND_STACK_MOST ((uintptr_t)1 << 30) /* no stack is larger */
#define UNWIND_FRAME_MOST ((uintptr_t)1 << 24) /* no frame is */
#define UNWIND_FACTOR UINT64_C(0x9e3779b97f4a7c15)

/* Written without a lock: a rule carries part of its address, so that two writers' halves do not
 * pass for a whole. */
struct unwind_entry {
    _Atomic uint64_t address, packed;
};

static struct unwind_entry cache[UNWIND_CACHE];
static _Atomic uintptr_t modules[UNWIND_MODULES];

static uint64_t unwind_hash(uint64_t address)
{
    return address * UNWIND_FACTOR;
}

/* cfa_offset, bp_offset, two flags and 14 bits to check. */
static uint64_t unwind_pack(struct eh_rule rule, uint64_t address)
{
    return (uint64_t)(uint32_t)rule.cfa_offset << 32 | (uint64_t)(uint16_t)rule.bp_offset << 16 |
           (uint64_t)rule.cfa_is_bp << 15 | (uint64_t)rule.usable << 14 |
           (unwind_hash(address) >> 20 & 0x3fff);
}

static struct eh_rule unwind_unpack(uint64_t packed)
{
    return (struct eh_rule){.cfa_offset = (int32_t)(packed >> 32),
                            .bp_offset = (int16_t)(packed >> 16),
                            .cfa_is_bp = packed >> 15 & 1,
                            .usable = packed >> 14 & 1};
}

static void unwind_report(const struct dl_find_object *object, unwind_module *found)
{
    uintptr_t start = (uintptr_t)object->dlfo_map_start;
    size_t at = unwind_hash(start >> 12) >> 52 & (UNWIND_MODULES - 1);
    for (int i = 0; i < UNWIND_PROBES; i++, at = (at + 1) & (UNWIND_MODULES - 1)) {
        uintptr_t there = 0;
        if (atomic_compare_exchange_strong(&modules[at], &there, start))
            break;
        if (there == start)
            return;
    }
    found(start, (uintptr_t)object->dlfo_map_end, object->dlfo_link_map->l_addr,
          object->dlfo_link_map->l_name);
}

/* A return address belongs to the call before it. */
static struct eh_rule unwind_work_out(uintptr_t address, unwind_module *found)
{
    struct eh_rule rule = {0};
    struct dl_find_object object;
    if (_dl_find_object((void *)(address - 1), &object))
        return rule;
    unwind_report(&object, found);
    if (!object.dlfo_eh_frame || !eh_frame_rule(object.dlfo_eh_frame, address - 1, &rule))
        rule = (struct eh_rule){0};
    return rule;
}

static struct eh_rule unwind_rule(uintptr_t address, unwind_module *found)
{
    struct unwind_entry *entry = &cache[unwind_hash(address) >> 40 & (UNWIND_CACHE - 1)];
    uint64_t packed = atomic_load_explicit(&entry->packed, memory_order_relaxed);
    if (atomic_load_explicit(&entry->address, memory_order_relaxed) == address &&
        (packed & 0x3fff) == (unwind_hash(address) >> 20 & 0x3fff))
        return unwind_unpack(packed);
    struct eh_rule rule = unwind_work_out(address, found);
    atomic_store_explicit(&entry->address, address, memory_order_relaxed);
    atomic_store_explicit(&entry->packed, unwind_pack(rule, address), memory_order_relaxed);
    return rule;
}

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

static bool unwind_step(struct unwind_cursor *at, unwind_module *found)
{
    struct eh_rule rule = unwind_rule(at->pc, found);
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

/* Whether the cursor stands on a frame of the last walk from which outwards nothing has changed;
 * `last->count` is cut to where it could be. */
static bool unwind_meets(struct unwind *last, const struct unwind_cursor *at)
{
    uintptr_t slot = at->sp - 8;
    while (last->count && last->frames[last->count - 1].slot < slot)
        last->count--;
    if (!last->count)
        return false;
    const struct unwind_frame *frame = &last->frames[last->count - 1];
    if (frame->slot != slot || frame->pc != at->pc || frame->bp != at->bp)
        return false;
    for (uint32_t i = last->count - 1; i-- > 0;)
        if (unwind_load(last->frames[i].slot) != last->frames[i].pc)
            return false;
    return true;
}

/* The frames walked now go on top of those that were met. */
static void unwind_append(struct unwind *last, uint32_t count)
{
    if (last->count + count > UNWIND_FRAMES)
        last->count = 0;
    uint64_t hash = last->count ? last->frames[last->count - 1].hash : 0;
    while (count-- > 0) {
        struct unwind_frame *frame = &last->frames[last->count++];
        *frame = last->walked[count];
        frame->hash = hash = hash * UNWIND_FACTOR + frame->pc;
    }
}

void unwind(struct unwind *last, const void *frame, unwind_module *found)
{
    uintptr_t start = (uintptr_t)frame;
    struct unwind_cursor at = {.pc = unwind_load(start + 8),
                               .sp = start + 16,
                               .bp = unwind_load(start),
                               .end = unwind_stack_end(start)};
    uint32_t count = 0;
    bool met = false;
    while (at.pc && count < UNWIND_FRAMES && !(met = unwind_meets(last, &at))) {
        last->walked[count++] = (struct unwind_frame){.slot = at.sp - 8, .pc = at.pc, .bp = at.bp};
        if (!unwind_step(&at, found))
            break;
    }
    if (!met)
        last->count = 0;
    unwind_append(last, count);
}

void unwind_forget(void)
{
    for (size_t i = 0; i < UNWIND_CACHE; i++)
        atomic_store_explicit(&cache[i].address, 0, memory_order_relaxed);
    for (size_t i = 0; i < UNWIND_MODULES; i++)
        atomic_store_explicit(&modules[i], 0, memory_order_relaxed);
}
