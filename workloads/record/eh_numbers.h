/* Numbers as the tables for exceptions hold them: of a fixed size, of as many bytes as they need
 * (LEB128), and encoded pointers (LSB 5.0, 10.5.1). Each is read at *at, which moves behind it. */
#ifndef WORKLOADS_RECORD_EH_NUMBERS_H
#define WORKLOADS_RECORD_EH_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* How a pointer is encoded: relative to what, and as which number; EH_OMIT: it is not there. */
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

uint64_t eh_uleb(const uint8_t **at);
int64_t eh_sleb(const uint8_t **at);

/* At most 8 bytes. */
uint64_t eh_fixed(const uint8_t **at, size_t bytes);

/* `data` is what pointers relative to data count from. */
uint64_t eh_pointer(const uint8_t **at, uint8_t encoding, uintptr_t data);

/* Passes over a length and as many bytes. */
void eh_skip_block(const uint8_t **at);

#endif
