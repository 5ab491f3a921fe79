/* XXH64, from its specification. */
#include "workloads/checksum.h"

#include "workloads/bytes.h"

static const uint64_t P1 = 0x9e3779b185ebca87u;
static const uint64_t P2 = 0xc2b2ae3d27d4eb4fu;
static const uint64_t P3 = 0x165667b19e3779f9u;
static const uint64_t P4 = 0x85ebca77c2b2ae63u;
static const uint64_t P5 = 0x27d4eb2f165667c5u;

static uint64_t checksum_rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t checksum_round(uint64_t lane, uint64_t input)
{
    return checksum_rotate(lane + input * P2, 31) * P1;
}

static uint64_t checksum_merge(uint64_t sum, uint64_t lane)
{
    return (sum ^ checksum_round(0, lane)) * P1 + P4;
}

/* Whole 32-byte stripes, four lanes at a time. */
static uint64_t checksum_stripes(const uint8_t **at, const uint8_t *end, uint64_t seed)
{
    uint64_t lane[4] = {seed + P1 + P2, seed + P2, seed, seed - P1};
    for (; end - *at >= 32; *at += 32)
        for (int i = 0; i < 4; i++)
            lane[i] = checksum_round(lane[i], bytes_get64(*at + 8 * i));
    uint64_t sum = checksum_rotate(lane[0], 1) + checksum_rotate(lane[1], 7) +
                   checksum_rotate(lane[2], 12) + checksum_rotate(lane[3], 18);
    for (int i = 0; i < 4; i++)
        sum = checksum_merge(sum, lane[i]);
    return sum;
}

static uint64_t checksum_tail(uint64_t sum, const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 8; at += 8)
        sum = checksum_rotate(sum ^ checksum_round(0, bytes_get64(at)), 27) * P1 + P4;
    for (; end - at >= 4; at += 4)
        sum = checksum_rotate(sum ^ bytes_get32(at) * P1, 23) * P2 + P3;
    for (; at < end; at++)
        sum = checksum_rotate(sum ^ *at * P5, 11) * P1;
    return sum;
}

uint64_t checksum64(const void *data, size_t length, uint64_t seed)
{
    const uint8_t *at = data, *end = at + length;
    uint64_t sum = length >= 32 ? checksum_stripes(&at, end, seed) : seed + P5;
    sum = checksum_tail(sum + length, at, end);
    sum = (sum ^ sum >> 33) * P2;
    sum = (sum ^ sum >> 29) * P3;
    return sum ^ sum >> 32;
}
