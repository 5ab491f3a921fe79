/* How to find a function's caller, from the tables that compilers write for exceptions (.eh_frame;
 * System V ABI AMD64 3.6.2, DWARF 4 section 6.4). */
#ifndef WORKLOADS_RECORD_EH_FRAME_H
#define WORKLOADS_RECORD_EH_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/* At one place in the code: CFA = (sp or bp) + cfa_offset; the return address lies at CFA - 8. */
struct eh_rule {
    int32_t cfa_offset;
    int16_t bp_offset; /* from the CFA, where bp was saved; 0: it has not been touched */
    uint8_t cfa_is_bp;
    uint8_t usable; /* 0: no caller, or one that takes more than this to find */
};

/* The rule at `pc` by the search table `header` (.eh_frame_hdr, mapped). False: it has none. */
bool eh_frame_rule(const void *header, uintptr_t pc, struct eh_rule *rule);

#endif
