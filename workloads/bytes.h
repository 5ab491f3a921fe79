/* Little-endian numbers and base-128 varints in byte buffers, the same on every machine. */
#ifndef WORKLOADS_BYTES_H
#define WORKLOADS_BYTES_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void bytes_put16(uint8_t *at, uint16_t value)
{
    value = htole16(value);
    memcpy(at, &value, sizeof value);
}

static inline void bytes_put32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static inline void bytes_put64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
}

static inline uint16_t bytes_get16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return le16toh(value);
}

static inline uint32_t bytes_get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static inline uint64_t bytes_get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

enum { BYTES_VARINT = 10 }; /* the longest varint */

/* Seven bits a byte, the lowest first, the top bit set on all but the last. Returns the length. */
static inline size_t bytes_put_varint(uint8_t *at, uint64_t value)
{
    size_t n = 0;
    for (; value >= 128; value >>= 7)
        at[n++] = (uint8_t)(value | 128);
    at[n++] = (uint8_t)value;
    return n;
}

/* Reads at most BYTES_VARINT bytes and moves `at` past them; bits above the 64th are dropped. */
static inline uint64_t bytes_get_varint(const uint8_t **at)
{
    uint64_t value = *(*at)++;
    if (value < 128)
        return value;
    value &= 127;
    for (unsigned shift = 7; shift < 70; shift += 7) {
        uint64_t byte = *(*at)++;
        value |= (byte & 127) << (shift & 63);
        if (byte < 128)
            break;
    }
    return value;
}

/* Signed numbers as unsigned ones, small in either direction. */
static inline uint64_t bytes_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t bytes_unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

#endif
