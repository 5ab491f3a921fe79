/* Numbers of the tables for exceptions. */
#include "workloads/record/eh_numbers.h"

#include <string.h>

uint64_t eh_uleb(const uint8_t **at)
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

int64_t eh_sleb(const uint8_t **at)
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

uint64_t eh_fixed(const uint8_t **at, size_t bytes)
{
    uint64_t value = 0;
    memcpy(&value, *at, bytes);
    *at += bytes;
    return value;
}

uint64_t eh_pointer(const uint8_t **at, uint8_t encoding, uintptr_t data)
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

void eh_skip_block(const uint8_t **at)
{
    uint64_t length = eh_uleb(at);
    *at += length;
}
