/* Digits of numbers in a text, many at a time.
 *
 * They are read by the word, also behind the text's end: DIGITS_SLACK bytes there must be readable;
 * what they hold does not matter. */
#ifndef WORKLOADS_DIGITS_H
#define WORKLOADS_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "workloads/bytes.h"

enum { DIGITS_SLACK = 16 };

/* --- decimal --- */

/* Whether the eight bytes are all digits: 3 above, and below still 3 with 6 added. */
static inline bool digits_all(uint64_t bytes)
{
    const uint64_t high = UINT64_C(0xf0f0f0f0f0f0f0f0), six = UINT64_C(0x0606060606060606);
    return ((bytes & high) | ((bytes + six) & high) >> 4) == UINT64_C(0x3333333333333333);
}

/* The number of eight digits' worths, the first in the lowest byte: neighbours are added up in
 * pairs, then fours (Lemire, "Quickly parsing eight digits"). */
static inline uint64_t digits_sum(uint64_t worth)
{
    worth = worth * ((UINT64_C(10) << 8) + 1) >> 8;
    worth = (worth & UINT64_C(0x00ff00ff00ff00ff)) * ((UINT64_C(100) << 16) + 1) >> 16;
    return (worth & UINT64_C(0x0000ffff0000ffff)) * ((UINT64_C(10000) << 32) + 1) >> 32;
}

/* That of the first `count`, 1 … 8: as many zeros stand before them as they are fewer than eight.
 */
static inline uint64_t digits_first(uint64_t worth, unsigned count)
{
    return digits_sum(worth << (64 - 8 * count));
}

/* How many digits there are of `left` bytes, at most 8, and what each is worth. */
static inline unsigned digits_count(const char *at, size_t left, uint64_t *worth)
{
    const uint64_t one = UINT64_C(0x0101010101010101);
    uint64_t value = *worth = bytes_get64((const uint8_t *)at) ^ '0' * one;
    uint64_t others = ((value + (128 - 10) * one) | value) & 128 * one;
    unsigned count = others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
    return count < left ? count : (unsigned)left;
}

/* --- hexadecimal --- */

/* What a digit is worth, 16: it is none. */
static inline unsigned digits_hex_worth(char digit)
{
    unsigned decimal = (unsigned)digit - '0', letter = ((unsigned)digit | 32) - 'a';
    return decimal < 10 ? decimal : letter < 6 ? letter + 10 : 16;
}

/* How many digits there are of `left` bytes, at most 16, and their number. */
#ifdef __SSE2__
static inline unsigned digits_hex(const char *at, size_t left, uint64_t *number)
{
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i decimal = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    __m128i letter = _mm_sub_epi8(_mm_or_si128(text, _mm_set1_epi8(32)), _mm_set1_epi8('a'));
    __m128i is_decimal = _mm_cmpeq_epi8(_mm_min_epu8(decimal, _mm_set1_epi8(9)), decimal);
    __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
    int are = _mm_movemask_epi8(_mm_or_si128(is_decimal, is_letter));
    unsigned count = (unsigned)__builtin_ctz(~(unsigned)are);
    if (count > left)
        count = (unsigned)left;
    letter = _mm_and_si128(is_letter, _mm_add_epi8(letter, _mm_set1_epi8(10)));
    __m128i worth = _mm_or_si128(_mm_and_si128(is_decimal, decimal), letter);
    __m128i pairs = _mm_or_si128(_mm_slli_epi16(worth, 4), _mm_srli_epi16(worth, 8));
    pairs = _mm_and_si128(pairs, _mm_set1_epi16(255));
    uint64_t bytes = (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(pairs, pairs));
    *number = count ? __builtin_bswap64(bytes) >> (64 - 4 * count) : 0;
    return count;
}
#else
static inline unsigned digits_hex(const char *at, size_t left, uint64_t *number)
{
    unsigned count = 0, worth;
    for (*number = 0; count < left && count < 16; count++, *number = *number << 4 | worth)
        if ((worth = digits_hex_worth(at[count])) == 16)
            break;
    return count;
}
#endif

#endif
