/* Reads .eh_frame_hdr and .eh_frame as far as call sites need: the CFA by a register and an offset,
 * and where the frame pointer was saved. Anything richer ends the walk. */
#include "workloads/record/eh_frame.h"

#include <stddef.h>
#include <string.h>

/* Pointer encodings (LSB 5.0, 10.5.1). */
enum {
    EH_OMIT = 0xff,
    EH_PCREL = 0x10,
    EH_DATAREL = 0x30,
    EH_APPLICATION = 0x70,
    EH_FORMAT = 0x0f,
    EH_ULEB = 0x01,
    EH_UDATA2 = 0x02,
    EH_UDATA4 = 0x03,
    EH_UDATA8 = 0x04,
    EH_SLEB = 0x09,
    EH_SDATA2 = 0x0a,
    EH_SDATA4 = 0x0b,
    EH_SDATA8 = 0x0c,
};

enum { EH_BP = 6, EH_SP = 7, EH_RETURN = 16 }; /* DWARF's numbers of x86-64 registers */

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

struct eh_cie {
    const uint8_t *code, *end;
    uint64_t code_align;
    int64_t data_align;
    uint8_t encoding; /* of addresses in the FDE */
    bool augmented, signal;
};

struct eh_state {
    uint64_t cfa_register;
    int64_t cfa_offset, bp_offset;
    bool expression, no_return;
};

static uint64_t eh_uleb(const uint8_t **at)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *(*at)++;
        if (shift < 64)
            value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return value;
    }
}

static int64_t eh_sleb(const uint8_t **at)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = *(*at)++;
        if (shift < 64)
            value |= (uint64_t)(byte & 127) << shift;
        shift += 7;
    } while (byte >= 128);
    if (shift < 64 && (byte & 64))
        value |= ~UINT64_C(0) << shift;
    return (int64_t)value;
}

static uint64_t eh_fixed(const uint8_t **at, size_t bytes)
{
    uint64_t value = 0;
    memcpy(&value, *at, bytes);
    *at += bytes;
    return value;
}

static uint64_t eh_pointer(const uint8_t **at, uint8_t encoding, uintptr_t data)
{
    uintptr_t base = (encoding & EH_APPLICATION) == EH_PCREL     ? (uintptr_t)*at
                     : (encoding & EH_APPLICATION) == EH_DATAREL ? data
                                                                 : 0;
    switch (encoding & EH_FORMAT) {
    case EH_ULEB:
        return base + eh_uleb(at);
    case EH_SLEB:
        return base + (uint64_t)eh_sleb(at);
    case EH_UDATA2:
        return base + eh_fixed(at, 2);
    case EH_SDATA2:
        return base + (uint64_t)(int16_t)eh_fixed(at, 2);
    case EH_UDATA4:
        return base + eh_fixed(at, 4);
    case EH_SDATA4:
        return base + (uint64_t)(int32_t)eh_fixed(at, 4);
    default:
        return base + eh_fixed(at, 8);
    }
}

/* The last entry of the sorted search table that begins at or before `pc`: its FDE. */
static const uint8_t *eh_search(const uint8_t *header, uintptr_t pc)
{
    const uint8_t *at = header + 4;
    uint8_t frame_encoding = header[1], count_encoding = header[2], table_encoding = header[3];
    if (header[0] != 1 || count_encoding == EH_OMIT || table_encoding != (EH_DATAREL | EH_SDATA4))
        return NULL;
    eh_pointer(&at, frame_encoding, (uintptr_t)header);
    size_t low = 0, high = eh_pointer(&at, count_encoding, (uintptr_t)header);
    int32_t entry[2];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        memcpy(entry, at + middle * sizeof entry, sizeof entry);
        if ((uintptr_t)header + (uintptr_t)(intptr_t)entry[0] <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    memcpy(entry, at + (low - 1) * sizeof entry, sizeof entry);
    return header + entry[1];
}

static bool eh_read_cie(const uint8_t *at, struct eh_cie *cie)
{
    uint32_t length = (uint32_t)eh_fixed(&at, 4);
    *cie = (struct eh_cie){.end = at + length, .encoding = EH_UDATA8};
    at += 4; /* the zero that tells a CIE */
    uint8_t version = *at++;
    const char *augmentation = (const char *)at;
    at += strlen(augmentation) + 1;
    cie->code_align = eh_uleb(&at);
    cie->data_align = eh_sleb(&at);
    uint64_t return_register = version == 1 ? *at++ : eh_uleb(&at);
    if (length == UINT32_MAX || return_register != EH_RETURN)
        return false;
    if (*augmentation == 'z') {
        cie->augmented = true;
        eh_uleb(&at);
        while (*++augmentation)
            if (*augmentation == 'R')
                cie->encoding = *at++;
            else if (*augmentation == 'L')
                at++;
            else if (*augmentation == 'P') {
                uint8_t encoding = *at++;
                eh_pointer(&at, encoding, 0);
            } else if (*augmentation == 'S')
                cie->signal = true;
            else
                return false;
    }
    cie->code = at;
    return true;
}

/* --- the table's little program --- */

struct eh_machine {
    const struct eh_cie *cie;
    struct eh_state state, initial, stack[EH_STATES];
    unsigned depth;
    uintptr_t location;
};

static void eh_set_offset(struct eh_machine *machine, uint64_t reg, int64_t factored)
{
    if (reg == EH_BP)
        machine->state.bp_offset = factored * machine->cie->data_align;
}

static void eh_restore(struct eh_machine *machine, uint64_t reg)
{
    if (reg == EH_BP)
        machine->state.bp_offset = machine->initial.bp_offset;
}

static void eh_skip_block(const uint8_t **at)
{
    uint64_t length = eh_uleb(at);
    *at += length;
}

static bool eh_extended(struct eh_machine *machine, uint8_t op, const uint8_t **at)
{
    uint64_t reg;
    struct eh_state *state = &machine->state;
    switch (op) {
    case EH_NOP:
        return true;
    case EH_GNU_ARGS_SIZE:
        eh_uleb(at);
        return true;
    case EH_OFFSET_EXTENDED:
        reg = eh_uleb(at);
        eh_set_offset(machine, reg, (int64_t)eh_uleb(at));
        return true;
    case EH_RESTORE_EXTENDED:
        eh_restore(machine, eh_uleb(at));
        return true;
    case EH_UNDEFINED:
        state->no_return |= eh_uleb(at) == EH_RETURN;
        return true;
    case EH_SAME_VALUE:
        if (eh_uleb(at) == EH_BP)
            state->bp_offset = 0;
        return true;
    case EH_REGISTER:
        reg = eh_uleb(at);
        eh_uleb(at);
        return reg != EH_BP && reg != EH_RETURN;
    case EH_REMEMBER:
        if (machine->depth == EH_STATES)
            return false;
        machine->stack[machine->depth++] = *state;
        return true;
    case EH_RESTORE_STATE:
        if (!machine->depth)
            return false;
        *state = machine->stack[--machine->depth];
        return true;
    case EH_DEF_CFA:
        state->cfa_register = eh_uleb(at);
        state->cfa_offset = (int64_t)eh_uleb(at);
        state->expression = false;
        return true;
    case EH_DEF_CFA_REGISTER:
        state->cfa_register = eh_uleb(at);
        return true;
    case EH_DEF_CFA_OFFSET:
        state->cfa_offset = (int64_t)eh_uleb(at);
        return true;
    case EH_DEF_CFA_EXPRESSION:
        state->expression = true;
        eh_skip_block(at);
        return true;
    case EH_EXPRESSION:
    case EH_VAL_EXPRESSION:
        reg = eh_uleb(at);
        eh_skip_block(at);
        return reg != EH_RETURN;
    default:
        return false;
    }
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
    machine->location += advance * machine->cie->code_align;
    return machine->location <= pc;
}

static bool eh_run(struct eh_machine *machine, const uint8_t *at, const uint8_t *end, uintptr_t pc)
{
    int more = 1;
    while (at < end && more > 0)
        more = eh_instruction(machine, &at, pc);
    return more >= 0;
}

static struct eh_rule eh_rule_of(const struct eh_state *state, const struct eh_cie *cie)
{
    bool fits = state->cfa_offset == (int32_t)state->cfa_offset &&
                state->bp_offset == (int16_t)state->bp_offset;
    bool plain = state->cfa_register == EH_SP || state->cfa_register == EH_BP;
    return (struct eh_rule){
        .cfa_offset = (int32_t)state->cfa_offset,
        .bp_offset = (int16_t)state->bp_offset,
        .cfa_is_bp = state->cfa_register == EH_BP,
        .usable = fits && plain && !state->expression && !state->no_return && !cie->signal,
    };
}

bool eh_frame_rule(const void *header, uintptr_t pc, struct eh_rule *rule)
{
    struct eh_cie cie;
    const uint8_t *at = eh_search(header, pc);
    if (!at)
        return false;
    uint32_t length = (uint32_t)eh_fixed(&at, 4);
    const uint8_t *end = at + length, *cie_at = at;
    cie_at -= eh_fixed(&at, 4);
    if (length == UINT32_MAX || !eh_read_cie(cie_at, &cie))
        return false;
    uintptr_t start = eh_pointer(&at, cie.encoding, 0);
    uintptr_t range = eh_pointer(&at, cie.encoding & EH_FORMAT, 0);
    if (pc - start >= range)
        return false;
    if (cie.augmented)
        eh_skip_block(&at);
    struct eh_machine machine = {.cie = &cie, .location = start};
    if (!eh_run(&machine, cie.code, cie.end, UINTPTR_MAX))
        return false;
    machine.initial = machine.state;
    if (!eh_run(&machine, at, end, pc))
        return false;
    *rule = eh_rule_of(&machine.state, &cie);
    return true;
}
