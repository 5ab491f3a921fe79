/* Patterns: what a block is filled with, so that every byte tells whose it is. */
#ifndef HARNESS_WORKER_PATTERN_H
#define HARNESS_WORKER_PATTERN_H

#include <stddef.h>
#include <stdint.h>

/* Of the operation of that number in that lane: no two are alike in any eight bytes. */
uint64_t pattern_seed(uint32_t lane, uint64_t operation);

void pattern_fill(char *block, size_t size, uint64_t seed);

/* The place of the first byte that is not the pattern's, or `size`. */
size_t pattern_differs(const char *block, size_t size, uint64_t seed);

#endif
