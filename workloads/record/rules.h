/* The rule by which a return address's caller is found, worked out once and then remembered. */
#ifndef WORKLOADS_RECORD_RULES_H
#define WORKLOADS_RECORD_RULES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workloads/record/eh_frame.h"

/* Called once for each object (program or library) in which an address is looked up. */
typedef void rules_module(uintptr_t start, uintptr_t end, uintptr_t bias, const char *path);

/* An entry is a word, so that threads need no lock. What a lookup costs is whether its line is in
 * the processor's cache, which the program fills with its own: so calls of nearby code, which tend
 * to be met together, share a line. */
enum {
    RULES_ADDRESS_BITS = 47, /* of user space; beyond is no code */
    RULES_WINDOW_LOG2 = 8,   /* bytes of code that share a line */
    RULES_LINE_LOG2 = 3,
    RULES_LINES_LOG2 = 12,
    RULES_PLACES = 2 << RULES_LINE_LOG2, /* where an entry may be: in its line, or in the next */
    /* An entry: the address in its upper bits, in the lower ones the offset of the CFA in words of
     * 8 bytes, and flags. Among the former those that the place tells are that of bp below the CFA
     * instead, likewise in words. */
    RULES_ADDRESS_SHIFT = 64 - RULES_ADDRESS_BITS,
    RULES_BP_SHIFT = RULES_ADDRESS_SHIFT + RULES_WINDOW_LOG2 + 1,
    RULES_BP_MOST = (1 << (RULES_LINES_LOG2 - 1)) - 1,
    RULES_CFA_SHIFT = 3,
    RULES_CFA_MOST = (1 << (RULES_ADDRESS_SHIFT - RULES_CFA_SHIFT)) - 1,
    RULES_CFA_IS_BP = 4,
    RULES_USABLE = 2,
    RULES_VALID = 1,
};
#define RULES_KEY                                                                                  \
    ((~UINT64_C(0) << RULES_ADDRESS_SHIFT & ~((uint64_t)RULES_BP_MOST << RULES_BP_SHIFT)) |        \
     RULES_VALID)

extern _Atomic uint64_t rules_entries[1 << (RULES_LINES_LOG2 + RULES_LINE_LOG2)];

/* What was learnt is wrong from here on: code has been unmapped. */
void rules_forget(void);

/* Works the rule of a return address out, and remembers it. */
struct eh_rule rules_learn(uintptr_t address, rules_module *found);

/* The window's lowest bits, mixed with the upper ones: with those they can be told again. */
static inline size_t rules_first(uintptr_t address)
{
    uint64_t window = address >> RULES_WINDOW_LOG2;
    uint64_t line = window ^ window >> RULES_LINES_LOG2 ^ window >> (2 * RULES_LINES_LOG2);
    return line % (1 << RULES_LINES_LOG2) << RULES_LINE_LOG2 | address / 4 % (1 << RULES_LINE_LOG2);
}

/* The i-th place where an address's entry may be, by its first. */
static inline _Atomic uint64_t *rules_place(size_t first, unsigned i)
{
    return &rules_entries[first ^ i];
}

static inline bool rules_is(uint64_t entry, uintptr_t address)
{
    return ((entry ^ ((uint64_t)address << RULES_ADDRESS_SHIFT | RULES_VALID)) & RULES_KEY) == 0;
}

static inline struct eh_rule rules_unpack(uint64_t entry)
{
    return (struct eh_rule){
        .cfa_offset = (int32_t)(entry >> RULES_CFA_SHIFT & RULES_CFA_MOST) * 8,
        .bp_offset = (int16_t)((int)(entry >> RULES_BP_SHIFT & RULES_BP_MOST) * -8),
        .cfa_is_bp = (entry & RULES_CFA_IS_BP) != 0,
        .usable = (entry & RULES_USABLE) != 0,
    };
}

/* The rule of a return address, with `found` where it has to be worked out. */
static inline struct eh_rule rules_of(uintptr_t address, rules_module *found)
{
    size_t first = rules_first(address);
    for (unsigned i = 0; i < RULES_PLACES; i++) {
        uint64_t entry = atomic_load_explicit(rules_place(first, i), memory_order_relaxed);
        if (rules_is(entry, address))
            return rules_unpack(entry);
    }
    return rules_learn(address, found);
}

#endif
