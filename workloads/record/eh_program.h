/* The little programs in the tables for exceptions (DWARF 4, 6.4.2), which tell row by row of the
 * code where a function's caller is found. */
#ifndef WORKLOADS_RECORD_EH_PROGRAM_H
#define WORKLOADS_RECORD_EH_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

enum { EH_BP = 6, EH_SP = 7, EH_RETURN = 16 }; /* DWARF's numbers of x86-64 registers */

/* What all functions of a kind begin with, then what a function has of its own; all borrowed. */
struct eh_program {
    const uint8_t *common, *common_end, *own, *own_end;
    uint64_t code_align;
    int64_t data_align;
    uintptr_t start; /* address of the function */
};

struct eh_state {
    uint64_t cfa_register;
    int64_t cfa_offset, bp_offset; /* bp_offset 0: bp is as the caller left it */
    bool expression;               /* the CFA is told by one */
    bool no_return;                /* there is no caller */
};

/* The state at `pc`, which lies in the function. False: there is what this does not understand. */
bool eh_program_run(const struct eh_program *program, uintptr_t pc, struct eh_state *state);

#endif
