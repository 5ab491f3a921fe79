/* The map of free blocks: one byte a place where a block can begin, searched 64 at a time.
 *
 * Positions and sizes are counted in granules from the start of the heap; nothing here holds a
 * pointer into the heap, so a map serves memory at any address, in several processes too.
 * `pair` is a constant of the caller: 1 where no block is smaller than two granules, so that two
 * granules share a slot (at most one block begins in it); 0 where a block may be one granule.
 * A byte is 0 where no free block begins, else class * 2 + (position & pair); the class tells sizes
 * below fit_large(pair) exactly, and FIT_LARGE stands for all others. No class is 0, so that 1 is
 * left to the map's owner, who may mark slots with it where no free block begins. A group of 64
 * slots holds the start of at most one large block. */
#ifndef ALLOCATORS_FIT_MAP_H
#define ALLOCATORS_FIT_MAP_H

#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define FIT_INLINE static inline __attribute__((always_inline))

enum { FIT_LARGE = 127, FIT_GROUP = 64, FIT_GROUP_LOG2 = 6, FIT_WIDE = 16, FIT_WIDE_LOG2 = 4 };

#define FIT_NONE SIZE_MAX

/* What the caller's tests have shown and the compiler cannot see. */
#define FIT_ASSUME(condition) ((condition) ? (void)0 : __builtin_unreachable())

/* The smallest size, in granules, that is large. */
FIT_INLINE size_t fit_large(unsigned pair)
{
    return FIT_LARGE + pair;
}

/* The byte of a free block; 0 for size 0, without a branch. */
FIT_INLINE uint8_t fit_code(size_t position, size_t size, unsigned pair)
{
    size_t class = size < fit_large(pair) ? size - pair : FIT_LARGE;
    return (uint8_t)((class << 1 | (position & pair)) & -(size_t)(size != 0));
}

/* What a search for `size` granules compares bytes with. */
FIT_INLINE uint8_t fit_want(size_t size, unsigned pair)
{
    return fit_code(0, size, pair);
}

FIT_INLINE size_t fit_position(size_t slot, uint8_t code, unsigned pair)
{
    return (slot << pair) + (code & pair);
}

/* Exact below fit_large(pair). */
FIT_INLINE size_t fit_size(uint8_t code, unsigned pair)
{
    return (code >> 1) + (size_t)pair;
}

#ifdef __SSE2__

/* Bit i is set where group[i] >= want. */
FIT_INLINE uint64_t fit_match_least(const uint8_t *group, uint8_t want)
{
    const __m128i *part = (const __m128i *)(const void *)group;
    __m128i least = _mm_set1_epi8((char)want);
    uint64_t mask = 0;
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_load_si128(part + i);
        __m128i hit = _mm_cmpeq_epi8(_mm_max_epu8(bytes, least), bytes);
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(hit) << (16 * i);
    }
    return mask;
}

/* Bit i is set where group[i] is of the class of `want`. */
FIT_INLINE uint64_t fit_match_class(const uint8_t *group, uint8_t want)
{
    const __m128i *part = (const __m128i *)(const void *)group;
    __m128i class = _mm_set1_epi8((char)want), classes = _mm_set1_epi8((char)0xfe);
    uint64_t mask = 0;
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_and_si128(_mm_load_si128(part + i), classes);
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, class)) << (16 * i);
    }
    return mask;
}

FIT_INLINE uint8_t fit_group_max(const uint8_t *group)
{
    const __m128i *part = (const __m128i *)(const void *)group;
    __m128i max = _mm_max_epu8(_mm_max_epu8(_mm_load_si128(part), _mm_load_si128(part + 1)),
                               _mm_max_epu8(_mm_load_si128(part + 2), _mm_load_si128(part + 3)));
    max = _mm_max_epu8(max, _mm_srli_si128(max, 8));
    max = _mm_max_epu8(max, _mm_srli_si128(max, 4));
    max = _mm_max_epu8(max, _mm_srli_si128(max, 2));
    max = _mm_max_epu8(max, _mm_srli_si128(max, 1));
    return (uint8_t)_mm_cvtsi128_si32(max);
}

/* Bit i is set where group[i] >= want, of 16; want > 0. */
FIT_INLINE uint64_t fit_match_wide(const uint32_t *group, uint32_t want)
{
    const __m128i *part = (const __m128i *)(const void *)group;
    __m128i sign = _mm_set1_epi32(INT32_MIN); /* SSE2 compares signed numbers only */
    __m128i below = _mm_xor_si128(_mm_set1_epi32((int)(want - 1)), sign);
    __m128i hit[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        hit[i] = _mm_cmpgt_epi32(_mm_xor_si128(_mm_load_si128(part + i), sign), below);
    __m128i low = _mm_packs_epi32(hit[0], hit[1]), high = _mm_packs_epi32(hit[2], hit[3]);
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}

#else

FIT_INLINE uint64_t fit_match_least(const uint8_t *group, uint8_t want)
{
    uint64_t mask = 0;
    for (int i = 0; i < FIT_GROUP; i++)
        mask |= (uint64_t)(group[i] >= want) << i;
    return mask;
}

FIT_INLINE uint64_t fit_match_class(const uint8_t *group, uint8_t want)
{
    uint64_t mask = 0;
    for (int i = 0; i < FIT_GROUP; i++)
        mask |= (uint64_t)((group[i] & 0xfe) == want) << i;
    return mask;
}

FIT_INLINE uint8_t fit_group_max(const uint8_t *group)
{
    uint8_t max = 0;
    for (int i = 0; i < FIT_GROUP; i++)
        max = group[i] > max ? group[i] : max;
    return max;
}

FIT_INLINE uint64_t fit_match_wide(const uint32_t *group, uint32_t want)
{
    uint64_t mask = 0;
    for (int i = 0; i < FIT_WIDE; i++)
        mask |= (uint64_t)(group[i] >= want) << i;
    return mask;
}

#endif

FIT_INLINE uint32_t fit_wide_max(const uint32_t *group)
{
    uint32_t max = 0;
    for (int i = 0; i < FIT_WIDE; i++)
        max = group[i] > max ? group[i] : max;
    return max;
}

/* The slot of the large block that begins in a group. */
FIT_INLINE size_t fit_map_large_in(const uint8_t *map, size_t group)
{
    uint64_t mask = fit_match_least(map + group * FIT_GROUP, FIT_LARGE << 1);
    return group * FIT_GROUP + (size_t)__builtin_ctzll(mask);
}

#endif
