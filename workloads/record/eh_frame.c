/* Reads .eh_frame_hdr and .eh_frame as far as call sites need: the CFA by a register and an offset,
 * and where the frame pointer was saved. Anything richer ends the walk. */
#include "workloads/record/eh_frame.h"

#include <string.h>

#include "workloads/record/eh_numbers.h"
#include "workloads/record/eh_program.h"

struct eh_cie {
    const uint8_t *code, *end;
    uint64_t code_align;
    int64_t data_align;
    uint8_t encoding; /* of addresses in the FDE */
    bool augmented, signal;
};

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

/* What the letters announce stands there in their order. */
static bool eh_augment(struct eh_cie *cie, const char *letters, const uint8_t **at)
{
    cie->augmented = true;
    eh_uleb(at);
    for (; *letters; letters++)
        if (*letters == 'R')
            cie->encoding = *(*at)++;
        else if (*letters == 'L')
            ++*at;
        else if (*letters == 'P') {
            uint8_t encoding = *(*at)++;
            eh_pointer(at, encoding, 0);
        } else if (*letters == 'S')
            cie->signal = true;
        else
            return false;
    return true;
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
    if (*augmentation == 'z' && !eh_augment(cie, augmentation + 1, &at))
        return false;
    cie->code = at;
    return true;
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
    const struct eh_program program = {.common = cie.code,
                                       .common_end = cie.end,
                                       .own = at,
                                       .own_end = end,
                                       .code_align = cie.code_align,
                                       .data_align = cie.data_align,
                                       .start = start};
    struct eh_state state;
    if (!eh_program_run(&program, pc, &state))
        return false;
    *rule = eh_rule_of(&state, &cie);
    return true;
}
