/* Patterns: what a block is filled with. */
#include "harness/worker/pattern.h"

#include <string.h>

#include "harness/measure/lane.h"

uint64_t pattern_seed(uint32_t lane, uint64_t operation)
{
    return (operation * LANES_MAX + lane + 1) * 0x9e3779b97f4a7c15u;
}

/* The eight bytes at place `word` of a pattern. */
static uint64_t pattern_word(uint64_t seed, size_t word)
{
    return (seed ^ word) * 0xbf58476d1ce4e5b9u;
}

void pattern_fill(char *block, size_t size, uint64_t seed)
{
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word = pattern_word(seed, at / 8);
        memcpy(block + at, &word, 8);
    }
    uint64_t last = pattern_word(seed, at / 8);
    memcpy(block + at, &last, size - at);
}

size_t pattern_differs(const char *block, size_t size, uint64_t seed)
{
    for (size_t at = 0; at < size; at += 8) {
        uint64_t word = pattern_word(seed, at / 8);
        size_t length = size - at < 8 ? size - at : 8;
        if (memcmp(block + at, &word, length) != 0) {
            size_t byte = 0;
            while (block[at + byte] == ((const char *)&word)[byte])
                byte++;
            return at + byte;
        }
    }
    return size;
}
