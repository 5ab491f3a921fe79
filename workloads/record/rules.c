/* Rules of return addresses. */
#include "workloads/record/rules.h"

#include <link.h>

#include "workloads/record/foreign.h"

enum { RULES_MODULES = 4096, RULES_PROBES = 8 };

_Alignas(128) _Atomic uint64_t rules_entries[1 << (RULES_LINES_LOG2 + RULES_LINE_LOG2)];
static const struct eh_rule rules_none = {.cfa_offset = 8}; /* the walk ends here */
static _Atomic uintptr_t rules_modules[RULES_MODULES];

static void rules_report(const struct dl_find_object *object, rules_module *found)
{
    uintptr_t start = (uintptr_t)object->dlfo_map_start;
    size_t at = start / 4096 * UINT64_C(0x9e3779b97f4a7c15) >> 52 & (RULES_MODULES - 1);
    for (int i = 0; i < RULES_PROBES; i++, at = (at + 1) & (RULES_MODULES - 1)) {
        uintptr_t there = 0;
        if (atomic_compare_exchange_strong(&rules_modules[at], &there, start))
            break;
        if (there == start)
            return;
    }
    found(start, (uintptr_t)object->dlfo_map_end, object->dlfo_link_map->l_addr,
          object->dlfo_link_map->l_name);
}

/* A return address belongs to the call before it. */
static struct eh_rule rules_work_out(uintptr_t address, rules_module *found)
{
    struct eh_rule rule = {0};
    struct dl_find_object object;
    if (_dl_find_object((void *)(address - 1), &object))
        return rule;
    rules_report(&object, found);
    if (!object.dlfo_eh_frame || !eh_frame_rule(object.dlfo_eh_frame, address - 1, &rule))
        rule = (struct eh_rule){0};
    else if (!rule.usable)
        rule = rules_none;
    return rule;
}

static bool rules_fits(uintptr_t address, struct eh_rule rule)
{
    return address >> RULES_ADDRESS_BITS == 0 && rule.cfa_offset % 8 == 0 &&
           rule.bp_offset % 8 == 0 && rule.cfa_offset >= 0 && rule.bp_offset <= 0 &&
           rule.cfa_offset / 8 <= RULES_CFA_MOST && rule.bp_offset / -8 <= RULES_BP_MOST;
}

static uint64_t rules_pack(uintptr_t address, struct eh_rule rule)
{
    return ((uint64_t)address << RULES_ADDRESS_SHIFT & RULES_KEY) |
           (uint64_t)(rule.bp_offset / -8) << RULES_BP_SHIFT |
           (uint64_t)(rule.cfa_offset / 8) << RULES_CFA_SHIFT |
           (rule.cfa_is_bp ? RULES_CFA_IS_BP : 0) | (rule.usable ? RULES_USABLE : 0) | RULES_VALID;
}

/* Into the first place that is free; where none is, another address is forgotten. */
static void rules_remember(uintptr_t address, struct eh_rule rule)
{
    size_t first = rules_first(address);
    unsigned i = 0;
    while (i < RULES_PLACES && atomic_load_explicit(rules_place(first, i), memory_order_relaxed))
        i++;
    atomic_store_explicit(rules_place(first, i % RULES_PLACES), rules_pack(address, rule),
                          memory_order_relaxed);
}

struct eh_rule rules_learn(uintptr_t address, rules_module *found)
{
    struct eh_rule rule = rules_work_out(address, found);
    if (rules_fits(address, rule))
        rules_remember(address, rule);
    return rule;
}

void rules_forget(void)
{
    for (size_t i = 0; i < sizeof rules_entries / sizeof *rules_entries; i++)
        atomic_store_explicit(&rules_entries[i], 0, memory_order_relaxed);
    for (size_t i = 0; i < RULES_MODULES; i++)
        atomic_store_explicit(&rules_modules[i], 0, memory_order_relaxed);
}
