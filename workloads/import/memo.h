/* Texts that were read before: in a recording the same few begin its lines again and again, and to
 * know one again takes less than to read it. Who remembers them keeps an array of MEMO_PLACES,,
 * each a struct memo and what it says. */
#ifndef WORKLOADS_MEMO_H
#define WORKLOADS_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "workloads/bytes.h"

enum { MEMO_TEXT = 252, MEMO_LEAST = 8, MEMO_LOG2 = 10, MEMO_PLACES = 1 << MEMO_LOG2 };

/* A zeroed struct remembers nothing. */
struct memo {
    uint32_t length; /* 0: nothing */
    char text[MEMO_TEXT];
};

static inline uint64_t memo_word(const char *text, size_t at)
{
    return bytes_get64((const uint8_t *)text + at);
}

/* Texts are read by the pair of words: the last pair ends where the text does, and begins here. */
static inline size_t memo_tail(size_t length)
{
    return length < 16 ? 0 : length - 16;
}

/* Whether it is that text. */
static inline bool memo_is(const struct memo *memo, const char *text, size_t length)
{
    size_t tail = memo_tail(length), last = length - 8;
    if (length != memo->length || !length)
        return false;
    uint64_t differing = memo_word(memo->text, tail) ^ memo_word(text, tail);
    differing |= memo_word(memo->text, last) ^ memo_word(text, last);
    for (size_t i = 0; i < tail; i += 16)
        differing |= (memo_word(memo->text, i) ^ memo_word(text, i)) |
                     (memo_word(memo->text, i + 8) ^ memo_word(text, i + 8));
    return !differing;
}

/* One that is too short or too long is not remembered. */
static inline void memo_keep(struct memo *memo, const char *text, size_t length)
{
    memo->length = length >= MEMO_LEAST && length <= MEMO_TEXT ? (uint32_t)length : 0;
    memcpy(memo->text, text, memo->length);
}

/* A text's place: from all its bytes, two words a product. */
static inline unsigned memo_place(const char *text, size_t length)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    size_t tail = memo_tail(length);
    uint64_t sum = length;
    if (length < MEMO_LEAST)
        return 0;
    for (size_t i = 0; i < tail; i += 16)
        sum += (memo_word(text, i) + odd) * (memo_word(text, i + 8) ^ sum);
    sum += (memo_word(text, tail) + odd) * (memo_word(text, length - 8) ^ sum);
    return (unsigned)(((sum ^ sum >> 32) * odd) >> (64 - MEMO_LOG2));
}

/* Whether a text is remembered in `places`, of `bytes` each, where two share two places. `found` is
 * its place, else the one that it may have. */
static inline bool memo_find(void *places, size_t bytes, const char *text, size_t length,
                             struct memo **found)
{
    unsigned place = memo_place(text, length);
    *found = (struct memo *)(void *)((char *)places + place * bytes);
    if (memo_is(*found, text, length))
        return true;
    if (!(*found)->length)
        return false;
    *found = (struct memo *)(void *)((char *)places + (place ^ 1) * bytes);
    return memo_is(*found, text, length);
}

#endif
