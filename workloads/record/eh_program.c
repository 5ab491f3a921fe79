/* The little programs in the tables for exceptions. */
#include "workloads/record/eh_program.h"

#include "workloads/record/eh_numbers.h"

/* Call frame instructions (DWARF 4, table 7.41); those with their operand in the low bits first. */
enum {
    EH_ADVANCE = 0x40,
    EH_OFFSET = 0x80,
    EH_RESTORE = 0xc0,
    EH_NOP = 0x00,
    EH_SET_LOC = 0x01,
    EH_ADVANCE1 = 0x02,
    EH_ADVANCE2 = 0x03,
    EH_ADVANCE4 = 0x04,
    EH_OFFSET_EXTENDED = 0x05,
    EH_RESTORE_EXTENDED = 0x06,
    EH_UNDEFINED = 0x07,
    EH_SAME_VALUE = 0x08,
    EH_REGISTER = 0x09,
    EH_REMEMBER = 0x0a,
    EH_RESTORE_STATE = 0x0b,
    EH_DEF_CFA = 0x0c,
    EH_DEF_CFA_REGISTER = 0x0d,
    EH_DEF_CFA_OFFSET = 0x0e,
    EH_DEF_CFA_EXPRESSION = 0x0f,
    EH_EXPRESSION = 0x10,
    EH_VAL_EXPRESSION = 0x16,
    EH_GNU_ARGS_SIZE = 0x2e,
};

enum { EH_STATES = 8 };

struct eh_machine {
    const struct eh_program *program;
    struct eh_state state, initial, stack[EH_STATES];
    unsigned depth;
    uintptr_t location;
};

/* An instruction was done; is none of these; is not understood. */
enum eh_done { EH_DONE, EH_OTHER, EH_UNKNOWN };

static enum eh_done eh_known(bool known)
{
    return known ? EH_DONE : EH_UNKNOWN;
}

/* --- where registers are saved --- */

static void eh_set_offset(struct eh_machine *machine, uint64_t reg, int64_t factored)
{
    if (reg == EH_BP)
        machine->state.bp_offset = factored * machine->program->data_align;
}

static void eh_restore(struct eh_machine *machine, uint64_t reg)
{
    if (reg == EH_BP)
        machine->state.bp_offset = machine->initial.bp_offset;
}

static enum eh_done eh_saved(struct eh_machine *machine, uint8_t op, const uint8_t **at)
{
    uint64_t reg;
    switch (op) {
    case EH_OFFSET_EXTENDED:
        reg = eh_uleb(at);
        eh_set_offset(machine, reg, (int64_t)eh_uleb(at));
        return EH_DONE;
    case EH_RESTORE_EXTENDED:
        eh_restore(machine, eh_uleb(at));
        return EH_DONE;
    case EH_UNDEFINED:
        machine->state.no_return |= eh_uleb(at) == EH_RETURN;
        return EH_DONE;
    case EH_SAME_VALUE:
        if (eh_uleb(at) == EH_BP)
            machine->state.bp_offset = 0;
        return EH_DONE;
    case EH_REGISTER:
        reg = eh_uleb(at);
        eh_uleb(at);
        return eh_known(reg != EH_BP && reg != EH_RETURN);
    case EH_EXPRESSION:
    case EH_VAL_EXPRESSION:
        reg = eh_uleb(at);
        eh_skip_block(at);
        return eh_known(reg != EH_RETURN);
    default:
        return EH_OTHER;
    }
}

/* --- the CFA --- */

static enum eh_done eh_cfa(struct eh_state *state, uint8_t op, const uint8_t **at)
{
    switch (op) {
    case EH_DEF_CFA:
        state->cfa_register = eh_uleb(at);
        state->cfa_offset = (int64_t)eh_uleb(at);
        state->expression = false;
        return EH_DONE;
    case EH_DEF_CFA_REGISTER:
        state->cfa_register = eh_uleb(at);
        return EH_DONE;
    case EH_DEF_CFA_OFFSET:
        state->cfa_offset = (int64_t)eh_uleb(at);
        return EH_DONE;
    case EH_DEF_CFA_EXPRESSION:
        state->expression = true;
        eh_skip_block(at);
        return EH_DONE;
    default:
        return EH_OTHER;
    }
}

/* --- the rest --- */

static enum eh_done eh_remembered(struct eh_machine *machine, uint8_t op)
{
    if (op == EH_REMEMBER && machine->depth < EH_STATES)
        machine->stack[machine->depth++] = machine->state;
    else if (op == EH_RESTORE_STATE && machine->depth > 0)
        machine->state = machine->stack[--machine->depth];
    else
        return EH_UNKNOWN;
    return EH_DONE;
}

static bool eh_extended(struct eh_machine *machine, uint8_t op, const uint8_t **at)
{
    enum eh_done done = eh_cfa(&machine->state, op, at);
    if (done == EH_OTHER)
        done = eh_saved(machine, op, at);
    if (done == EH_OTHER && op == EH_GNU_ARGS_SIZE)
        eh_uleb(at);
    else if (done == EH_OTHER && op != EH_NOP)
        done = eh_remembered(machine, op);
    return done != EH_UNKNOWN;
}

/* 1: runs on; 0: the location is past `pc`; -1: not understood. */
static int eh_instruction(struct eh_machine *machine, const uint8_t **at, uintptr_t pc)
{
    uint8_t op = *(*at)++;
    uint64_t advance = 0;
    if ((op & 0xc0) == EH_ADVANCE)
        advance = op & 0x3f;
    else if (op == EH_ADVANCE1)
        advance = eh_fixed(at, 1);
    else if (op == EH_ADVANCE2)
        advance = eh_fixed(at, 2);
    else if (op == EH_ADVANCE4)
        advance = eh_fixed(at, 4);
    else if ((op & 0xc0) == EH_OFFSET)
        eh_set_offset(machine, op & 0x3f, (int64_t)eh_uleb(at));
    else if ((op & 0xc0) == EH_RESTORE)
        eh_restore(machine, op & 0x3f);
    else
        return eh_extended(machine, op, at) ? 1 : -1;
    machine->location += advance * machine->program->code_align;
    return machine->location <= pc;
}

static bool eh_run(struct eh_machine *machine, const uint8_t *at, const uint8_t *end, uintptr_t pc)
{
    int more = 1;
    while (at < end && more > 0)
        more = eh_instruction(machine, &at, pc);
    return more >= 0;
}

bool eh_program_run(const struct eh_program *program, uintptr_t pc, struct eh_state *state)
{
    struct eh_machine machine = {.program = program, .location = program->start};
    if (!eh_run(&machine, program->common, program->common_end, UINTPTR_MAX))
        return false;
    machine.initial = machine.state;
    if (!eh_run(&machine, program->own, program->own_end, pc))
        return false;
    *state = machine.state;
    return true;
}
