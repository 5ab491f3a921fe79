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
    RULES_SCATTER_SHIFT = 64 - RULES_ADDRESS_BITS + RULES_WINDOW_LOG2,
    RULES_LINE_LOG2 = 3,
    RULES_LINES_LOG2 = 12,
    RULES_PLACES = 2 << RULES_LINE_LOG2, /* where an entry may be: in its line, or in the next */
    /* An entry: key, offset of the CFA, of bp below it (both in words of 8 bytes), flags. */
    RULES_KEY_SHIFT = 28,
    RULES_CFA_SHIFT = 12,
    RULES_CFA_MOST = 0xffff,
    RULES_BP_SHIFT = 3,
    RULES_BP_MOST = 0x1ff,
    RULES_CFA_IS_BP = 4,
    RULES_USABLE = 2,
    RULES_VALID = 1,
};
/* Of the line's number all but one bit need not be in the key. */
_Static_assert(RULES_ADDRESS_BITS - (RULES_LINES_LOG2 - 1) + RULES_KEY_SHIFT == 64,
               "a place and its key are the whole address");

#define RULES_FACTOR UINT64_C(0x9e3779b97f4a7c15)

extern _Atomic uint64_t rules_entries[1 << (RULES_LINES_LOG2 + RULES_LINE_LOG2)];

/* What was learnt is wrong from here on: code has been unmapped. */
void rules_forget(void);

/* Works the rule of a return address out, and remembers it. */
struct eh_rule rules_learn(uintptr_t address, rules_module *found);

/* The bits that tell windows apart in another order: the line in the upper ones. */
static inline uint64_t rules_scatter(uintptr_t address)
{
    return (address >> RULES_WINDOW_LOG2) * RULES_FACTOR << RULES_SCATTER_SHIFT;
}

static inline size_t rules_first(uintptr_t address)
{
    uint64_t line = rules_scatter(address) >> (64 - RULES_LINES_LOG2);
    uint64_t in_line = address / 4 % (1 << RULES_LINE_LOG2);
    return line << RULES_LINE_LOG2 | in_line;
}

/* The i-th place where an address's entry may be, by its first. */
static inline _Atomic uint64_t *rules_place(size_t first, unsigned i)
{
    return &rules_entries[first ^ i];
}

/* An entry but for its rule. */
static inline uint64_t rules_key(uintptr_t address)
{
    uint64_t offset = address % (1 << RULES_WINDOW_LOG2);
    return rules_scatter(address) << (RULES_LINES_LOG2 - 1) | offset << RULES_KEY_SHIFT |
           RULES_VALID;
}

static inline bool rules_is(uint64_t entry, uint64_t key)
{
    return ((entry ^ key) & (~UINT64_C(0) << RULES_KEY_SHIFT | RULES_VALID)) == 0;
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
    uint64_t key = rules_key(address);
    size_t first = rules_first(address);
    for (unsigned i = 0; i < RULES_PLACES; i++) {
        uint64_t entry = atomic_load_explicit(rules_place(first, i), memory_order_relaxed);
        if (rules_is(entry, key))
            return rules_unpack(entry);
    }
    return rules_learn(address, found);
}

#endif
